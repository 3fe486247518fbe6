import type { Cell } from '../history/cell.ts';
import { type Durations, durationAt, mergeDurations, noDurations } from '../history/durations.ts';
import type { Period, Span } from '../history/timeline.ts';
import { letterOf, shownLetter } from './bar-letters.ts';
import type { BarLetters, Range } from './wire.ts';

/** The checks of one container in a range, by bar. */
export interface BarCounts {
  readonly succeeded: number[];
  readonly failed: number[];
  readonly durations: Durations;
}

/** The bars of a range, at whole multiples of their width, so that they do not move with each second. */
export function barPeriod({ lengthMs, barMs }: Range, nowMs: number): Period & { readonly count: number } {
  const count = Math.ceil(lengthMs / barMs);
  const toMs = (Math.floor(nowMs / barMs) + 1) * barMs;
  return { fromMs: toMs - count * barMs, toMs, count };
}

export function emptyBars(count: number): BarCounts {
  return {
    succeeded: new Array<number>(count).fill(0),
    failed: new Array<number>(count).fill(0),
    durations: noDurations(),
  };
}

/** Cells outside of the bars are left out. */
export function addToBars(bars: BarCounts, cell: Cell, { fromMs, barMs }: { fromMs: number; barMs: number }): void {
  const index = Math.floor((cell.fromMs - fromMs) / barMs);
  if (index < 0 || index >= bars.succeeded.length) return;
  bars.succeeded[index] = (bars.succeeded[index] ?? 0) + cell.succeeded;
  bars.failed[index] = (bars.failed[index] ?? 0) + cell.failed;
  mergeDurations(bars.durations, cell.durations);
}

/** The letter of each bar: see BarLetters. */
export function barLetters(
  spans: readonly Span[],
  { failed }: Pick<BarCounts, 'failed'>,
  { fromMs, barMs }: { readonly fromMs: number; readonly barMs: number },
): BarLetters {
  const seen = failed.map((count) => new Set(count > 0 ? ['f'] : []));
  for (const span of spans) {
    const first = Math.max(0, Math.floor((span.fromMs - fromMs) / barMs));
    const last = Math.min(seen.length - 1, Math.floor((span.toMs - fromMs) / barMs));
    for (let index = first; index <= last; index += 1) seen[index]?.add(letterOf(span.phase));
  }
  return seen.map(shownLetter).join('');
}

/** The bars' durations, in milliseconds; null without a check. */
export const quantilesOf = ({ durations }: Pick<BarCounts, 'durations'>) => ({
  p50Ms: durationAt(durations, 0.5) ?? null,
  p95Ms: durationAt(durations, 0.95) ?? null,
});
