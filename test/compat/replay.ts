import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bed, HEALTHCTL, openBed } from '../e2e/harness.ts';
import { type ProgramResult, runProgram } from '../fixtures/program.ts';

const KIT = fileURLToPath(new URL('kit', import.meta.url));
/** What cannot pass, and why. */
const LEFT_OUT: readonly string[] = [
  'process-limits', // the Go runtime in Debian's runc 1.1.5 raises a soft limit of open files to the hard one
  'command-shell-alone', // its profile says what the specification does not: the shell itself complains, as in Docker
  'events-exec', // recorded for the profile docker alone, and so are the next
  'events-lifecycle',
];

/** All scenarios of the kit that can be played against healthctl. */
export const SCENARIOS: readonly string[] = execFileSync(
  process.execPath,
  [`${KIT}/replay.mjs`, '--list', '--profile', 'ours'],
  { encoding: 'utf8' },
)
  .trimEnd()
  .split('\n')
  .map((line) => line.split(' ')[0] ?? '')
  .filter((name) => !LEFT_OUT.includes(name));

/** Runs a program of the kit; it is plain Node.js and knows nothing of vitest. */
export function runKit(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ProgramResult> {
  return runProgram([process.execPath, `${KIT}/${program}`, ...args], { env, timeoutMs: 900_000 });
}

/** How scenarios of a second fare when they are played several at a time, and how many may be played once more. */
const JOBS = 3;
const MOST_REPLAYED = 25;

/**
 * Plays scenarios with a monitor that starts by itself. Those of a second fail when a busy machine shows their first state late: what failed is
 * played once more, one by one.
 *
 * @returns what the kit printed of each: its line, which begins with `pass ` or `FAIL `, and below it further differences
 */
async function replay(bed: Bed, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const verdicts = new Map<string, string>();
  const play = async (some: readonly string[], jobs: number): Promise<void> => {
    const cli = [HEALTHCTL, ...bed.globalFlags].join(' ');
    const only = some.flatMap((name) => ['--only', name]);
    const options = ['--cli', cli, '--profile', 'ours', '--jobs', `${jobs}`, '--retry', '2', '--verbose', ...only];
    const { stdout } = await runKit('replay.mjs', options, bed.env);
    for (const name of some) verdicts.set(name, verdictOf(name, stdout));
  };
  await play(names, JOBS);
  const failed = names.filter((name) => !verdicts.get(name)?.startsWith('pass '));
  if (failed.length > 0 && failed.length <= MOST_REPLAYED) await play(failed, 1);
  return verdicts;
}

function verdictOf(name: string, output: string): string {
  const blocks = output.split(/\n(?=\S)/);
  return blocks.find((block) => block.split(/\s+/)[1] === name) ?? `not played; the kit printed:\n${output}`;
}

/**
 * A test for each of these scenarios.
 *
 * @param played.config further lines of the configuration
 * @param played.limitMs for all of them together
 */
export function describeScenarios(
  title: string,
  played: { readonly names: readonly string[]; readonly config?: readonly string[]; readonly limitMs: number },
): void {
  const { names, config = [], limitMs } = played;
  describe(title, () => {
    let bed: Bed;
    let verdicts: ReadonlyMap<string, string>;

    beforeAll(async () => {
      bed = await openBed(['autostart = true', ...config]);
      verdicts = await replay(bed, names);
    }, limitMs);
    afterAll(() => bed[Symbol.asyncDispose]());

    test.each(names)('%s', (name) => {
      expect(verdicts.get(name)).toMatch(/^pass /);
    });
  });
}
