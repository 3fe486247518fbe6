import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { judge, type Verdict, verdictOf } from '../../testbed/kit-verdict.ts';
import { type ProgramResult, runProgram } from '../../testbed/program.ts';
import { measureSlowness, watchSlowness } from '../../testbed/slowness.ts';
import { type Bed, HEALTHCTL, openBed } from '../e2e/support/harness.ts';

const KIT = fileURLToPath(new URL('kit/', import.meta.url));
/** Scenarios that cannot pass, with the reason. */
const LEFT_OUT: readonly string[] = [
  'process-limits', // the Go runtime in Debian's runc 1.1.5 raises the soft limit of open files to the hard one
  'command-shell-alone', // its profile `ours` contradicts the specification: as in Docker, the error is the shell's own
  'events-exec', // recorded only for the profile `docker`, like the next
  'events-lifecycle',
];

/** All scenarios of the kit that can be played with healthctl. */
export const SCENARIOS: readonly string[] = execFileSync(
  process.execPath,
  [join(KIT, 'replay.mjs'), '--list', '--profile', 'ours'],
  { encoding: 'utf8' },
)
  .trimEnd()
  .split('\n')
  .map((line) => line.split(' ')[0] ?? '')
  .filter((name) => !LEFT_OUT.includes(name));

/** Runs a program of a kit, which is plain Node.js without vitest. */
export function runKit(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  kit: string = KIT,
): Promise<ProgramResult> {
  return runProgram([process.execPath, join(kit, program), ...args], { env, timeoutMs: 1_200_000 });
}

/** How many scenarios are played at the same time, and how many may be repeated. */
const JOBS = 3;
const MOST_REPLAYED = 25;

/** The largest factor for tolerances: with a larger one, a rule that is wrong by a second would pass. */
const MOST_SLOWER = 2;

/** How a kit is run: without the options that say how many scenarios, and how slow the machine is. */
export interface KitPlay {
  /** Its directory. */
  readonly kit?: string;
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Plays scenarios. The kit allows more time on a slow machine. Scenarios that fail are played once more, one at a time.
 */
export async function replay(
  { kit, options, env }: KitPlay,
  names: readonly string[],
): Promise<ReadonlyMap<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  const play = async (some: readonly string[], jobs: number, expected: number): Promise<number> => {
    const only = some.flatMap((name) => ['--only', name]);
    const slower = Math.min(MOST_SLOWER, expected).toFixed(2);
    const watch = watchSlowness();
    const paces = ['--jobs', `${jobs}`, '--slower', slower];
    const { stdout } = await runKit('replay.mjs', [...options, ...only, ...paces], env, kit);
    const slowness = await watch.stop();
    for (const name of some) verdicts.set(name, { ...verdictOf(name, stdout), slowness });
    return slowness;
  };
  const slowness = await play(names, JOBS, await measureSlowness());
  const failed = names.filter((name) => verdicts.get(name)?.isPassed !== true);
  if (failed.length > 0 && failed.length <= MOST_REPLAYED) await play(failed, 1, slowness);
  return verdicts;
}

/**
 * One test for each of these scenarios.
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
    let verdicts: ReadonlyMap<string, Verdict>;

    beforeAll(async () => {
      bed = await openBed(['autostart = true', ...config]);
      // A monitor is started by a command.
      const cli = [HEALTHCTL, ...bed.globalFlags].join(' ');
      const options = ['--cli', cli, '--profile', 'ours', '--retry', '2', '--verbose'];
      verdicts = await replay({ options, env: bed.env }, names);
    }, limitMs);
    afterAll(() => bed[Symbol.asyncDispose]());

    for (const name of names) test(name, (context) => judge(context, verdicts.get(name)));
  });
}
