import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mustRun, runProgram } from '../../testbed/program.ts';

// The built program on other releases of Node.js: the suite itself stays on ours, every healthctl that it starts runs on that one.
// The release that runs the suite is left out: `npm test` has done all of it.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const env = callersEnvironment();
const REPORTER = '--reporter=./testbed/not-judged.ts';

const OURS = process.versions.node.split('.')[0];

describe.each(['20', '22', '24'].filter((release) => release !== OURS))('Node.js %s', (release) => {
  const prefix = mkdtempSync(join(tmpdir(), 'healthctl-node-'));
  let binary: string;

  beforeAll(async () => {
    const install = ['npm', 'install', '--no-save', '--prefix', prefix, '--no-audit', '--no-fund', `node@${release}`];
    await mustRun(install, { env, timeoutMs: 240_000 });
    const print = ['--print', 'process.execPath'];
    binary = (await mustRun([join(prefix, 'node_modules/.bin/node'), ...print], { env })).trim();
  });

  afterAll(() => rmSync(prefix, { recursive: true, force: true }));

  test('is that release', async () => {
    expect(await mustRun([binary, '--version'], { env })).toMatch(new RegExp(`^v${release}\\.`));
  });

  // Where the packed compiled forms are for this release, none is kept.
  test('starts with a compiled form of its own, unless the packed ones are for it', async () => {
    const dataRoot = join(prefix, 'data');
    const version = [binary, '--', join(ROOT, 'bin/healthctl'), '--version'];
    for (let call = 0; call < 2; call += 1) await mustRun(version, { env: { ...env, HEALTHCTL_DATA_ROOT: dataRoot } });
    const isPackedFor = (await mustRun([binary, '--print', 'process.versions.v8'], { env })).trim();
    const kept = join(dataRoot, 'compile-cache');
    if (isPackedFor === process.versions.v8) expect(existsSync(kept)).toBe(false);
    else expect(readdirSync(kept)).toEqual([expect.stringContaining(isPackedFor)]);
  });

  test.each(['e2e', 'compat'])('%s', async (project) => {
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', `--project=${project}`, '--reporter=dot', REPORTER];
    const { code, stdout, stderr } = await runProgram([process.execPath, ...vitest], {
      env: { ...env, HEALTHCTL_TEST_BIN: dirname(binary) },
      cwd: ROOT,
      timeoutMs: 1_500_000,
    });
    expect(code, stdout + stderr).toBe(0);
    // What could not be judged is told by this output alone.
    const [list = ''] = /^\d+ not judged(?:.*\n)*/m.exec(stdout) ?? [];
    process.stdout.write(list);
  });
});

/** The caller's, because npm's settings stand there, without what this run of npm and vitest has added. */
function callersEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VITEST|NODE_ENV|TEST|MODE|DEV|PROD|SSR)/i.test(name),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}
