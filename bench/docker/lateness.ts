import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOfGroup } from './cpu.ts';
import type { Result, SeenResults } from './result.ts';
import type { Side } from './side.ts';
import { quantile } from './table.ts';

/**
 * How late checks were: milliseconds after they were due. Three figures for each check, because a side that holds back
 * the starts is later by the first and can be sooner by the others.
 */
export interface Lateness {
  /** Until its start in the log. */
  readonly start: readonly number[];
  /** Until its own process runs and reads the clock. */
  readonly runs: readonly number[];
  /** Until its result can be read. */
  readonly stored: readonly number[];
}

export const FIGURES = ['start', 'runs', 'stored'] as const satisfies readonly (keyof Lateness)[];

export interface LatenessOptions {
  readonly intervalMs: number;
  /** The containers whose checks count. */
  readonly ids: ReadonlySet<string>;
  readonly seconds: number;
}

/** A measurement in progress. Its figures are available at any time, also if it is interrupted. */
export interface LatenessRun {
  figures(): Lateness;
  /** The processors that the side used on average since the beginning. */
  cores(): number;
  /** Resolves at the end. */
  readonly over: Promise<void>;
}

/**
 * Follows the results of a side for some seconds.
 *
 * A check is due one interval after the end of the previous one, as recorded in the side's own log. Both sides are
 * measured from there. An end that is recorded late counts in `stored` of the check that ended; it would count twice if
 * the next check were due after the end of the process.
 */
export async function startLateness(side: Side, { ids, intervalMs, seconds }: LatenessOptions): Promise<LatenessRun> {
  const record = createRecord(intervalMs);
  const following = await side.followResults(ids, record.add);
  const [fromMs, cpuBeforeMs] = [Date.now(), cpuMsOfGroup(side.group)];
  const used = () => (cpuMsOfGroup(side.group) - cpuBeforeMs) / (Date.now() - fromMs);
  let end: { readonly atMs: number; readonly cores: number } | undefined;
  const over = (async () => {
    await Promise.race([sleep(seconds * 1_000), following.failed]);
    end = { atMs: Date.now(), cores: used() };
    await following.stop();
  })();
  return { figures: () => record.figures(fromMs, end?.atMs ?? Date.now()), cores: () => end?.cores ?? used(), over };
}

/** Merges results, each of which is reported several times. */
export function createRecord(intervalMs: number) {
  const seen = new Map<string, Map<number, Result & { readonly storedMs: number | undefined }>>();
  return {
    add: ({ id, results, storedMs }: SeenResults): void => {
      const known = seen.get(id) ?? new Map();
      seen.set(id, known);
      for (const [i, result] of results.entries()) {
        if (known.has(result.startMs)) continue;
        known.set(result.startMs, { ...result, storedMs: i === results.length - 1 ? storedMs : undefined });
      }
    },
    /**
     * The figures of checks that were due in this time. A check whose result is not stored one interval later counts
     * with its lateness by then.
     */
    figures: (fromMs: number, toMs: number): Lateness => {
      const late = { start: [] as number[], runs: [] as number[], stored: [] as number[] };
      for (const results of seen.values()) {
        const inOrder = [...results.values()].sort((a, b) => a.startMs - b.startMs);
        for (const [i, before] of inOrder.entries()) {
          const dueMs = before.endMs + intervalMs;
          if (dueMs < fromMs || dueMs > toMs) continue;
          const next = inOrder[i + 1];
          if (next) {
            late.start.push(next.startMs - dueMs);
            if (next.ranMs !== undefined) late.runs.push(next.ranMs - dueMs);
            if (next.storedMs !== undefined) late.stored.push(next.storedMs - dueMs);
          } else if (toMs - dueMs > intervalMs) {
            for (const figure of FIGURES) late[figure].push(toMs - dueMs);
          }
        }
      }
      return late;
    },
  };
}

export function latenessText(list: readonly number[]): string {
  if (list.length === 0) return 'none yet';
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(list, share).toFixed(0));
  return `p50 ${p50}, p99 ${p99}, max ${max} of ${list.length}`;
}
