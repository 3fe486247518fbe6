import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The files of a package that are needed at run time: no sources of native code, no types, no documents. */
const RUNTIME = /\.(?:c?js|mjs|json|node)$|^LICEN[CS]E/i;

/**
 * Copies the packages that the program loads, each with its native code for one architecture only.
 *
 * @param {object} asked
 * @param {string} asked.root the repository
 * @param {string} asked.home the program's directory in the package
 * @param {string[]} asked.names
 * @param {string} asked.arch Node.js's name, e.g. `arm64`
 * @param {string} asked.work a directory for downloads by npm: the native code of another architecture
 */
export function copyDependencies({ root, home, names, arch, work }) {
  for (const name of names) {
    const from = join(root, 'node_modules', name);
    const { optionalDependencies = {}, dependencies = {} } = JSON.parse(
      readFileSync(join(from, 'package.json'), 'utf8'),
    );
    copyPackage(from, join(home, 'node_modules', name));
    const native = Object.keys(optionalDependencies).filter((one) => one.endsWith(`-linux-${arch}`));
    for (const one of native) copyPackage(nativePackage({ root, name: one, work }), join(home, 'node_modules', one));
    copyDependencies({ root, home, names: Object.keys(dependencies), arch, work });
  }
}

function copyPackage(from, to) {
  cpSync(from, to, {
    recursive: true,
    filter: (path) => {
      if (statSync(path).isDirectory()) return path === from || needed(path);
      return RUNTIME.test(basename(path)) && basename(path) !== 'cnoke.cjs'; // builds koffi
    },
  });
}

/** Whether a directory contains something that is needed at run time. */
function needed(directory) {
  if (/^(?:musl_.*|doc|docs|test|vendor)$/.test(basename(directory))) return false;
  return readdirSync(directory, { withFileTypes: true }).some((entry) =>
    entry.isDirectory() ? needed(join(directory, entry.name)) : RUNTIME.test(entry.name),
  );
}

/** The installed package, or the one that npm downloads, compared with package-lock.json. */
function nativePackage({ root, name, work }) {
  const installed = join(root, 'node_modules', name);
  if (existsSync(installed)) return installed;
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { version, integrity } = packages[`node_modules/${name}`];
  const directory = join(work, 'fetched', name);
  mkdirSync(directory, { recursive: true });
  const npm = ['pack', '--silent', '--pack-destination', directory, `${name}@${version}`];
  const file = join(directory, execFileSync('npm', npm, { cwd: root, encoding: 'utf8' }).trim().split('\n').at(-1));
  const found = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (found !== integrity) throw new Error(`${name} ${version} is not the one of package-lock.json`);
  execFileSync('tar', ['--extract', '--no-same-owner', '--file', file, '--directory', directory]);
  return join(directory, 'package');
}
