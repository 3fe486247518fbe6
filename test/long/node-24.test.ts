import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mustRun, runProgram } from '../fixtures/program.ts';

// The built program on the next Node.js: the suite itself stays on ours, every healthctl that it starts runs on that one.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const prefix = mkdtempSync(join(tmpdir(), 'healthctl-node-'));
const env = callersEnvironment();
let binary: string;

beforeAll(async () => {
  await mustRun(['npm', 'install', '--prefix', prefix, '--no-audit', '--no-fund', 'node@24'], {
    env,
    timeoutMs: 240_000,
  });
  const print = ['--print', 'process.execPath'];
  binary = (await mustRun([join(prefix, 'node_modules/.bin/node'), ...print], { env })).trim();
});

afterAll(() => rmSync(prefix, { recursive: true, force: true }));

test('is Node.js 24', async () => {
  expect(await mustRun([binary, '--version'], { env })).toMatch(/^v24\./);
});

test.each(['e2e', 'compat'])('%s', async (project) => {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', `--project=${project}`, '--reporter=dot'];
  const { code, stdout, stderr } = await runProgram([process.execPath, ...vitest], {
    env: { ...env, HEALTHCTL_TEST_BIN: dirname(binary) },
    cwd: ROOT,
    timeoutMs: 900_000,
  });
  expect(code, stdout + stderr).toBe(0);
});

/** The caller's, because npm's settings stand there, without what this run of npm and vitest has added. */
function callersEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VITEST|NODE_ENV|TEST|MODE|DEV|PROD|SSR)/i.test(name),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}
