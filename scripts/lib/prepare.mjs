// From a fresh clone to a built program: the first part of `npm test` and `npm run demo`.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from '../setup.mjs';
import { bothEnds, Failure, findProgram, fullPath, isRoot, run } from './run.mjs';

/** The root directory of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Installs system packages and Node.js modules, and builds, each only if needed. Prints nothing but one line for each
 * step that takes long.
 * @param {string[]} [packages] Debian packages besides those that are always needed
 */
export async function prepare(packages = []) {
  await setUp(packages);
  await installModules();
  await quietly('build', 'npm', ['run', '--silent', 'build']);
}

/** `npm ci` if node_modules is missing or older than the lockfile. */
async function installModules() {
  const lockfile = join(ROOT, 'package-lock.json');
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs) return;
  process.stdout.write('set-up: npm ci\n');
  await quietly('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

async function quietly(what, program, args) {
  const { code, output } = await run(program, args, { cwd: ROOT });
  if (code !== 0) throw new Failure(`${what} failed with exit status ${code}:\n${bothEnds(output)}`);
}

/**
 * Runs a Node.js program of the repository as root, which containerd needs, and shows its output.
 * @param {string[]} args the arguments of `node`
 * @param {Record<string, string>} [env]
 * @returns {Promise<number>} its exit status
 */
export async function runNodeAsRoot(args, env = {}) {
  if (isRoot()) return (await run(process.execPath, args, { show: true, cwd: ROOT, env })).code;
  const sudo = findProgram('sudo');
  if (!sudo) throw new Failure('containerd needs root, and sudo is not installed: run this as root.');
  const settings = Object.entries({ PATH: fullPath(), ...env }).map(([name, value]) => `${name}=${value}`);
  const flags = process.stdin.isTTY ? [] : ['-n'];
  return (
    await run(sudo, [...flags, '--preserve-env', 'env', ...settings, process.execPath, ...args], {
      show: true,
      cwd: ROOT,
    })
  ).code;
}
