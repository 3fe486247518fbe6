import { type Cell, HOUR_MS, MINUTE_MS, mergedCells } from './cell.ts';
import type { PastContainer } from './containers.ts';
import type { Change, Sample } from './model.ts';
import type { HistoryReader } from './reader.ts';
import { type Period, type Span, spansOf } from './timeline.ts';

/** A line of a container's history. */
export type HistoryRow =
  | { readonly kind: 'result'; readonly atMs: number; readonly container: PastContainer; readonly sample: Sample }
  /** The sum of the results of a minute or an hour; the results themselves are no longer kept. */
  | {
      readonly kind: 'period';
      readonly atMs: number;
      readonly container: PastContainer;
      readonly cell: Cell;
    }
  | { readonly kind: 'change'; readonly atMs: number; readonly container: PastContainer; readonly span: Span }
  | {
      readonly kind: 'action';
      readonly atMs: number;
      readonly container: PastContainer;
      readonly action: Extract<Change, { kind: 'action' }>;
    };

/** All rows of the containers in a period, oldest first. */
export function historyRows(
  reader: HistoryReader,
  containers: readonly PastContainer[],
  period: Period,
): readonly HistoryRow[] {
  return containers
    .flatMap((container) => [...checkRows(reader, container, period), ...changeRows(container, period)])
    .sort(byTime);
}

const KINDS: readonly HistoryRow['kind'][] = ['period', 'result', 'change', 'action'];

/** Oldest first; a result comes before the change that it causes, and that before the action. */
export const byTime = (a: Pick<HistoryRow, 'atMs' | 'kind'>, b: Pick<HistoryRow, 'atMs' | 'kind'>): number =>
  a.atMs - b.atMs || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind);

/** Changes of phases, and actions. */
export function changeRows(container: PastContainer, { fromMs, toMs }: Period): readonly HistoryRow[] {
  const isIn = ({ atMs }: { readonly atMs: number }): boolean => atMs >= fromMs && atMs <= toMs;
  const spans = spansOf(container.changes, toMs).map(
    (span): HistoryRow => ({ kind: 'change', atMs: span.fromMs, container, span }),
  );
  const actions = container.changes.flatMap((action): readonly HistoryRow[] =>
    action.kind === 'action' ? [{ kind: 'action', atMs: action.atMs, container, action }] : [],
  );
  return [...spans, ...actions].filter(isIn).sort((a, b) => a.atMs - b.atMs);
}

function checkRows(reader: HistoryReader, container: PastContainer, period: Period): readonly HistoryRow[] {
  const samples = reader.samples(container.key, period);
  const results = samples.map((sample): HistoryRow => ({ kind: 'result', atMs: sample.atMs, container, sample }));
  const oldestMs = samples[0]?.atMs ?? period.toMs;
  if (oldestMs - period.fromMs < MINUTE_MS) return results;
  // The sums of the oldest result's minute include that result.
  const untilMs = Math.floor(oldestMs / MINUTE_MS) * MINUTE_MS - 1;
  const cells = reader.cells({ fromMs: period.fromMs, toMs: untilMs }, container.key);
  return [...cellRows(cells, container), ...results];
}

/** Many minutes are shown as hours. */
const MAX_MINUTES = 180;

function cellRows(cells: readonly Cell[], container: PastContainer): readonly HistoryRow[] {
  const lengthMs = cells.length > MAX_MINUTES ? HOUR_MS : MINUTE_MS;
  return mergedCells(cells, lengthMs).map((cell) => ({ kind: 'period', atMs: cell.fromMs, container, cell }));
}
