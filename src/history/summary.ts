import { type Cell, emptyCell, mergeCell } from './cell.ts';
import type { PastContainer } from './containers.ts';
import { durationAt } from './durations.ts';
import type { Phase } from './model.ts';
import type { HistoryReader } from './reader.ts';
import { flapsOf, type Period, restartsOf, type Span, spansOf, type Uptimes, uptimesOf } from './timeline.ts';

/** The health of one container over time. */
export interface HealthSummary {
  readonly container: PastContainer;
  readonly phase: Phase;
  /** Since when it is in that phase, wall time. */
  readonly sinceMs: number;
  /** Shares from 0 to 1, see uptimeOf; undefined if there is no time in which it should have been healthy. */
  readonly uptime: Uptimes;
  readonly checks: number;
  readonly failures: number;
  /** Durations of checks, in milliseconds. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  /** How often it was healthy and then became unhealthy or ended by itself. */
  readonly flaps: number;
  readonly restarts: number;
}

/** The sums of the checks of each container in a period. */
export function checkSums(reader: Pick<HistoryReader, 'eachCell'>, period: Period): ReadonlyMap<string, Cell> {
  const sums = new Map<string, Cell>();
  reader.eachCell(period, (key, cell) => {
    let sum = sums.get(key);
    if (!sum) {
      sum = emptyCell(period.fromMs);
      sums.set(key, sum);
    }
    mergeCell(sum, cell);
  });
  return sums;
}

/**
 * @param sum of the container's checks in the period; undefined without any
 * @param period the one of checks, flaps and restarts; its end is now
 */
export function summaryOf(container: PastContainer, sum: Cell | undefined, period: Period): HealthSummary {
  const nowMs = period.toMs;
  const spans = spansOf(container.changes, nowMs);
  const last: Pick<Span, 'phase' | 'fromMs'> = spans.at(-1) ?? { phase: 'unchecked', fromMs: nowMs };
  const { succeeded, failed, durations } = sum ?? emptyCell(period.fromMs);
  return {
    container,
    phase: last.phase,
    sinceMs: last.fromMs,
    uptime: uptimesOf(spans, nowMs),
    checks: succeeded + failed,
    failures: failed,
    p50Ms: durationAt(durations, 0.5),
    p95Ms: durationAt(durations, 0.95),
    flaps: flapsOf(spans, period),
    restarts: restartsOf(container.changes, period),
  };
}

/** The containers that need attention first. */
const ORDER: readonly Phase[] = ['unhealthy', 'ended', 'starting', 'healthy', 'paused', 'unchecked', 'stopped', 'gone'];

export const byUrgency = (a: HealthSummary, b: HealthSummary): number =>
  ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase) || (a.container.name < b.container.name ? -1 : 1);
