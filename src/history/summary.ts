import { type Cell, emptyCell, HOUR_MS, mergeCell } from './cell.ts';
import type { PastContainer } from './containers.ts';
import { durationAt } from './durations.ts';
import { DAY_MS } from './files.ts';
import type { Phase } from './model.ts';
import { flapsOf, type Period, restartsOf, type Span, spansOf, uptimeOf } from './timeline.ts';

/** The health of one container over time. */
export interface HealthSummary {
  readonly container: PastContainer;
  readonly phase: Phase;
  /** Since when it is in that phase, wall time. */
  readonly sinceMs: number;
  /** Shares from 0 to 1, see uptimeOf; undefined where it should not have served. */
  readonly uptime: {
    readonly hour: number | undefined;
    readonly day: number | undefined;
    readonly week: number | undefined;
  };
  readonly checks: number;
  readonly failures: number;
  /** Durations of checks, in milliseconds. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  /** How often it ceased to be healthy. */
  readonly flaps: number;
  readonly restarts: number;
}

/**
 * @param cells of the container in the period
 * @param period the one of checks, flaps and restarts; its end is now
 */
export function summaryOf(container: PastContainer, cells: readonly Cell[], period: Period): HealthSummary {
  const nowMs = period.toMs;
  const spans = spansOf(container.changes, nowMs);
  const last: Pick<Span, 'phase' | 'fromMs'> = spans.at(-1) ?? { phase: 'unchecked', fromMs: nowMs };
  const sum = emptyCell(period.fromMs);
  for (const cell of cells) mergeCell(sum, cell);
  const uptimeIn = (lengthMs: number) => uptimeOf(spans, { fromMs: nowMs - lengthMs, toMs: nowMs });
  return {
    container,
    phase: last.phase,
    sinceMs: last.fromMs,
    uptime: { hour: uptimeIn(HOUR_MS), day: uptimeIn(DAY_MS), week: uptimeIn(7 * DAY_MS) },
    checks: sum.succeeded + sum.failed,
    failures: sum.failed,
    p50Ms: durationAt(sum.durations, 0.5),
    p95Ms: durationAt(sum.durations, 0.95),
    flaps: flapsOf(spans, period),
    restarts: restartsOf(container.changes, period),
  };
}

/** What needs a look first. */
const ORDER: readonly Phase[] = ['unhealthy', 'ended', 'starting', 'healthy', 'paused', 'unchecked', 'stopped', 'gone'];

export const byUrgency = (a: HealthSummary, b: HealthSummary): number =>
  ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase) || (a.container.name < b.container.name ? -1 : 1);
