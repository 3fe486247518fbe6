import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOfGroup } from './cpu.ts';
import type { Result, SeenResults } from './result.ts';
import type { Side } from './side.ts';
import { quantile } from './table.ts';

/**
 * How late checks were, in milliseconds after they were due. Three figures of each check, since a side that holds back the starts of checks
 * is later by the first one and may be sooner by the others.
 */
export interface Lateness {
  /** Its start, as the log tells it. */
  readonly start: readonly number[];
  /** Its own process runs, and reads the clock. */
  readonly runs: readonly number[];
  /** Its result can be read. */
  readonly kept: readonly number[];
}

export const FIGURES = ['start', 'runs', 'kept'] as const satisfies readonly (keyof Lateness)[];

export interface LatenessOptions {
  readonly intervalMs: number;
  /** Those whose checks count. */
  readonly ids: ReadonlySet<string>;
  readonly seconds: number;
}

/** A measurement under way: its figures can be asked at any time, also when it is cut off. */
export interface LatenessRun {
  figures(): Lateness;
  /** Processors that the side took since it began. */
  cores(): number;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
}

/**
 * Follows the results of a side for some seconds.
 *
 * When a check is due: one interval after the end of the one before it, as the side's own log tells that end. Both sides count from there;
 * an end that is told too late is in `kept` of the check that has ended, and would count twice if the next one was due when the process ended.
 */
export async function startLateness(side: Side, { ids, intervalMs, seconds }: LatenessOptions): Promise<LatenessRun> {
  const record = createRecord(intervalMs);
  const following = await side.followResults(ids, record.add);
  const [fromMs, cpuBeforeMs] = [Date.now(), cpuMsOfGroup(side.group)];
  const taken = () => (cpuMsOfGroup(side.group) - cpuBeforeMs) / (Date.now() - fromMs);
  let end: { readonly atMs: number; readonly cores: number } | undefined;
  const over = (async () => {
    await Promise.race([sleep(seconds * 1_000), following.failed]);
    end = { atMs: Date.now(), cores: taken() };
    await following.stop();
  })();
  return { figures: () => record.figures(fromMs, end?.atMs ?? Date.now()), cores: () => end?.cores ?? taken(), over };
}

/** Puts results together, which are told several times. */
export function createRecord(intervalMs: number) {
  const seen = new Map<string, Map<number, Result & { readonly keptMs: number | undefined }>>();
  return {
    add: ({ id, results, keptMs }: SeenResults): void => {
      const known = seen.get(id) ?? new Map();
      seen.set(id, known);
      for (const [i, result] of results.entries()) {
        if (known.has(result.startMs)) continue;
        known.set(result.startMs, { ...result, keptMs: i === results.length - 1 ? keptMs : undefined });
      }
    },
    /** Of checks that were due in between. One that is not kept an interval later counts as late as it is by then. */
    figures: (fromMs: number, toMs: number): Lateness => {
      const late = { start: [] as number[], runs: [] as number[], kept: [] as number[] };
      for (const results of seen.values()) {
        const inOrder = [...results.values()].sort((a, b) => a.startMs - b.startMs);
        for (const [i, before] of inOrder.entries()) {
          const dueMs = before.endMs + intervalMs;
          if (dueMs < fromMs || dueMs > toMs) continue;
          const next = inOrder[i + 1];
          if (next) {
            late.start.push(next.startMs - dueMs);
            if (next.ranMs !== undefined) late.runs.push(next.ranMs - dueMs);
            if (next.keptMs !== undefined) late.kept.push(next.keptMs - dueMs);
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
