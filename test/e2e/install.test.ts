import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mustRun, type ProgramResult, runProgram } from '../../testbed/program.ts';
import { type Bed, openBed } from './support/harness.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

// As a user installs it: pack, install the tarball into an empty prefix, call it from anywhere.
describe('npm install --global of the packed tarball', () => {
  let bed: Bed;
  let prefix: string;

  beforeAll(async () => {
    bed = await openBed();
    prefix = mkdtempSync(join(tmpdir(), 'healthctl-prefix-'));
    const npm = (...args: string[]) =>
      mustRun(['npm', ...args], { env: npmEnvironment(), cwd: ROOT, timeoutMs: 180_000 });
    // The suite has already built, and other tests use the result.
    const tarball = (await npm('pack', '--ignore-scripts', '--silent', '--pack-destination', prefix)).trim();
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    await npm('install', '--global', '--prefix', prefix, ...flags, join(prefix, tarball));
  });

  afterAll(async () => {
    await bed[Symbol.asyncDispose]();
    rmSync(prefix, { recursive: true, force: true });
  });

  /** Calls the installed program in an empty directory, with only the directory of Node.js in its environment. */
  function installed(...args: string[]): Promise<ProgramResult> {
    const cwd = join(bed.directory, 'elsewhere');
    mkdirSync(cwd, { recursive: true });
    const program = join(prefix, 'bin/healthctl');
    return runProgram([program, ...bed.globalFlags, ...args], { env: { PATH: dirname(process.execPath) }, cwd });
  }

  test('contains what it needs and nothing else of the repository', () => {
    const home = join(prefix, 'lib/node_modules/healthctl');
    for (const file of ['bin/healthctl', 'dist/healthctl.cjs', 'THIRD-PARTY-NOTICES', 'node_modules/koffi']) {
      expect(existsSync(join(home, file)), file).toBe(true);
    }
    for (const file of ['src', 'test', 'node_modules/vitest']) expect(existsSync(join(home, file)), file).toBe(false);
  });

  test('installs the man pages where man finds them', () => {
    expect(existsSync(join(prefix, 'share/man/man1/healthctl-run.1'))).toBe(true);
  });

  test('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const { code, stdout, stderr } = await installed('version');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(version);
  });

  test('runs a container and checks it', async () => {
    const image = await bed.image();
    const run = await installed('run', '-d', '--network', 'none', '--name', 'web', '--health-cmd', 'echo fine', image);
    expect(run.code, run.stderr).toBe(0);
    const check = await installed('container', 'healthcheck', 'web');
    expect(check.code, check.stderr).toBe(0);
    const shown = await installed('inspect', '--format', '{{.State.Health.Status}}', 'web');
    expect(shown.stdout).toBe('healthy\n');
  });
});

/** The caller's environment, which has npm's settings and home, without those of the npm that runs this test. */
function npmEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  return Object.fromEntries(entries) as Record<string, string>;
}
