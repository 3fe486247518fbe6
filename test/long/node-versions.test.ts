import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mustRun, runProgram } from '../../testbed/program.ts';

// The built program on other releases of Node.js. The suite itself runs on this one; every healthctl that it starts
// runs on the other. The release that runs the suite is omitted, because `npm test` covers it.

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

  test('is the requested release', async () => {
    expect(await mustRun([binary, '--version'], { env })).toMatch(new RegExp(`^v${release}\\.`));
  });

  // If the packed compiled forms work with this release, none is written.
  test('writes a compiled form of its own, unless the packed ones work', async () => {
    const dataRoot = join(prefix, 'data');
    const version = [binary, '--', join(ROOT, 'bin/healthctl'), '--version'];
    for (let call = 0; call < 2; call += 1) await mustRun(version, { env: { ...env, HEALTHCTL_DATA_ROOT: dataRoot } });
    const isPackedFor = (await mustRun([binary, '--print', 'process.versions.v8'], { env })).trim();
    const kept = join(dataRoot, 'compile-cache');
    if (isPackedFor === process.versions.v8) expect(existsSync(kept)).toBe(false);
    else expect(readdirSync(kept)).toEqual([expect.stringContaining(isPackedFor)]);
  });

  test.each(['e2e', 'compat'])('passes the project %s', async (project) => {
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', `--project=${project}`, '--reporter=dot', REPORTER];
    const { code, stdout, stderr } = await runProgram([process.execPath, ...vitest], {
      env: { ...env, HEALTHCTL_TEST_BIN: dirname(binary) },
      cwd: ROOT,
      timeoutMs: 1_500_000,
    });
    expect(code, stdout + stderr).toBe(0);
    // Tests that could not be judged are only named in this output.
    const [list = ''] = /^\d+ not judged(?:.*\n)*/m.exec(stdout) ?? [];
    process.stdout.write(list);
  });
});

/** The caller's, because it has npm's settings, without the variables of this run of npm and vitest. */
function callersEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VITEST|NODE_ENV|TEST|MODE|DEV|PROD|SSR)/i.test(name),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}
