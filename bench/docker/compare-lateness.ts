import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthctlSide } from './healthctl-side.ts';
import { FIGURES, type Lateness, type LatenessRun, latenessText, startLateness } from './lateness.ts';
import { removeAll, runMany } from './measures.ts';
import { type Report, ratio } from './report.ts';
import { inTurn, type Side, type Sides } from './side.ts';
import { quantile, type Row } from './table.ts';

/** Its HEALTHCHECK is CLOCK_CHECK: see result.ts. */
export const CLOCK_IMAGE = 'docker.io/bench/clock:1';

const INTERVAL_MS = 2_000;
/** By then each container has been checked once. */
const SETTLE_MS = INTERVAL_MS + 1_000;
const EVERY = ['--health-interval', `${INTERVAL_MS}ms`];
/** A check that never ends by itself. */
const HANGS = [...EVERY, '--health-cmd', 'sleep 3600', '--health-timeout', '30s'];
const EVERY_NTH_HANGS = 3;

/** The targets of the figures. The start has none: holding it back is right if the other two become smaller. */
const LIMITS = { start: undefined, runs: 0.8, stored: 0.8 } as const;
const WORDS = {
  start: 'due to start in the log',
  runs: 'due to process running',
  stored: 'due to result stored',
} as const;

export interface LatenessSetting {
  readonly containers: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface Context extends LatenessSetting {
  readonly sides: Sides<Side>;
  readonly report: Report;
}

/** Containers with short checks, each every two seconds. */
export function compareLateness(context: Context): Promise<void> {
  const { containers } = context;
  const start = async (side: Side) => new Set(await runMany(side, { containers, flags: EVERY, image: CLOCK_IMAGE }));
  return compare(context, `${containers} at 2 s`, start);
}

/** The same, but every third check hangs until its timeout. Only the others count. */
export function compareHanging(context: Context): Promise<void> {
  const { containers } = context;
  const hanging = Math.floor((containers + 1) / EVERY_NTH_HANGS);
  const start = async (side: Side) => {
    const counted = new Set<string>();
    for (let i = 0; i < containers; i += 1) {
      const hangs = i % EVERY_NTH_HANGS === 1;
      const [id = ''] = await runMany(side, { containers: 1, flags: hangs ? HANGS : EVERY, image: CLOCK_IMAGE });
      if (!hangs) counted.add(id);
    }
    return counted;
  };
  return compare(context, `${containers} at 2 s, ${hanging} hang`, start);
}

async function compare(
  context: Context,
  what: string,
  start: (side: Side) => Promise<ReadonlySet<string>>,
): Promise<void> {
  const { sides, report, rounds, seconds } = context;
  const runs: Sides<LatenessRun[]> = { healthctl: [], docker: [] };
  const rows = () => rowsOf(what, { healthctl: joined(runs.healthctl), docker: joined(runs.docker) });
  report.setPartial(rows);
  await inTurn(sides, rounds, async (side) => {
    const ids = await start(side);
    await sleep(SETTLE_MS);
    const one = await startLateness(side, { intervalMs: INTERVAL_MS, ids, seconds });
    (side.name === 'Docker' ? runs.docker : runs.healthctl).push(one);
    await one.over;
    report.note(lineOf(`${what}, ${side.name}`, one));
    removeAll(side);
  });
  report.setPartial(undefined);
  report.add(...rows());
}

/**
 * Compares values of `max_checks`: how many commands healthctl should start at once. The same containers with one value
 * after the other, after Docker.
 */
export async function compareStarts(
  context: Omit<Context, 'sides'> & { readonly sides: Sides<Side> & { readonly healthctl: HealthctlSide } },
  counts: readonly number[],
): Promise<void> {
  const { sides, report, containers, rounds, seconds } = context;
  const dockers: LatenessRun[] = [];
  const ours = new Map<number, LatenessRun[]>(counts.map((count) => [count, []]));
  const rows = () =>
    [...ours]
      .filter(([, runs]) => runs.length > 0)
      .flatMap(([count, runs]) =>
        rowsOf(`${containers} at 2 s, max_checks ${count}`, { healthctl: joined(runs), docker: joined(dockers) }),
      );
  report.setPartial(rows);
  const measured = async (side: Side, list: LatenessRun[], what: string, ids: ReadonlySet<string>) => {
    await sleep(SETTLE_MS);
    const one = await startLateness(side, { intervalMs: INTERVAL_MS, ids, seconds });
    list.push(one);
    await one.over;
    report.note(lineOf(what, one));
  };
  const load = { containers, flags: EVERY, image: CLOCK_IMAGE };
  for (let round = 0; round < rounds; round += 1) {
    await measured(sides.docker, dockers, 'Docker', new Set(await runMany(sides.docker, load)));
    removeAll(sides.docker);
    const ids = new Set(await runMany(sides.healthctl, load));
    for (const [count, runs] of round % 2 === 0 ? ours : [...ours].reverse()) {
      await sides.healthctl.reconfigure(`max_checks = ${count}\n`);
      await measured(sides.healthctl, runs, `healthctl, max_checks ${count}`, ids);
    }
    removeAll(sides.healthctl);
    await sides.healthctl.reconfigure('');
  }
  report.setPartial(undefined);
  report.add(...rows());
}

function joined(runs: readonly LatenessRun[]): Lateness {
  const all = runs.map((run) => run.figures());
  const of = (figure: keyof Lateness) => all.flatMap((one) => one[figure]);
  return { start: of('start'), runs: of('runs'), stored: of('stored') };
}

/** One row for each figure. */
function rowsOf(what: string, { healthctl, docker }: Sides<Lateness>): readonly Row[] {
  return FIGURES.map((figure) => {
    const [ours, theirs] = [healthctl[figure], docker[figure]];
    const row = { what: `${what}: ${WORDS[figure]}`, healthctl: latenessText(ours), docker: latenessText(theirs) };
    if (ours.length === 0 || theirs.length === 0) return { ...row, figure: '', target: '', reached: undefined };
    const compared = quantile(ours, 0.99) / quantile(theirs, 0.99);
    const limit = LIMITS[figure];
    if (limit !== undefined) return { ...row, ...ratio(compared, limit) };
    return { ...row, figure: `${compared.toFixed(2)} times`, target: '', reached: undefined };
  });
}

function lineOf(what: string, run: LatenessRun): string {
  const late = run.figures();
  const figures = FIGURES.map((figure) => `${figure} ${latenessText(late[figure])}`);
  return `  ${what}: ${figures.join('; ')}; ${run.cores().toFixed(2)} processors`;
}
