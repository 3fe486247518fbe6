import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bed, HEALTHCTL, openBed } from '../e2e/harness.ts';
import { type ProgramResult, runProgram } from '../fixtures/program.ts';

// The scenarios that need no monitor: nothing in them waits for a check that healthctl runs by itself.
const SCENARIOS = [
  'config-*',
  'errors-*',
  'merge-each-field',
  'merge-image-only',
  'merge-n*',
  'show-image-inspect',
  'show-inspect-templates',
  'image-unknown-test',
];

const ONLY = SCENARIOS.flatMap((glob) => ['--only', glob]);
const KIT = fileURLToPath(new URL('kit', import.meta.url));
const NAMES = execFileSync(process.execPath, [`${KIT}/replay.mjs`, '--list', ...ONLY], { encoding: 'utf8' })
  .trimEnd()
  .split('\n')
  .map((line) => line.split(' ')[0] ?? '');

/** Runs a program of the kit; it is plain Node.js and knows nothing of vitest. */
function runKit(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ProgramResult> {
  return runProgram([process.execPath, `${KIT}/${program}`, ...args], { env, timeoutMs: 280_000 });
}

describe('conformance with Docker 28.5.2, as recorded', () => {
  let bed: Bed;
  let replay: ProgramResult;

  beforeAll(async () => {
    bed = await openBed();
    const cli = [HEALTHCTL, ...bed.globalFlags].join(' ');
    replay = await runKit(
      'replay.mjs',
      ['--cli', cli, '--profile', 'ours', '--jobs', '2', '--verbose', ...ONLY],
      bed.env,
    );
  }, 290_000);

  afterAll(() => bed[Symbol.asyncDispose]());

  test('scenarios were found', () => {
    expect(NAMES.length).toBeGreaterThanOrEqual(19);
  });

  test.each(NAMES)('%s', (name) => {
    expect(verdictOf(name, replay.stdout), replay.stderr).toMatch(/^pass /);
  });
});

test('the kit notices wrong behaviour', async () => {
  const { code, stdout, stderr } = await runKit('selfcheck.mjs', [], { PATH: process.env.PATH ?? '' });
  expect(code, stdout + stderr).toBe(0);
});

/** What the kit printed of a scenario: its line, and indented below it further differences. */
function verdictOf(name: string, output: string): string {
  const blocks = output.split(/\n(?=\S)/);
  return blocks.find((block) => block.split(/\s+/)[1] === name) ?? `not played; the kit printed:\n${output}`;
}
