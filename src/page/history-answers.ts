import { type Cell, type CellMap, HOUR_MS, MINUTE_MS, mergeIntoCells, sortedCells } from '../history/cell.ts';
import { type PastContainer, pastContainers } from '../history/containers.ts';
import { durationAt } from '../history/durations.ts';
import { DAY_MS } from '../history/files.ts';
import type { Sample } from '../history/model.ts';
import type { HistoryReader } from '../history/reader.ts';
import { byTime, changeRows, type HistoryRow } from '../history/rows.ts';
import { flapsOf, type Period, restartsOf, type Span, spansOf, uptimeOf, uptimesOf } from '../history/timeline.ts';
import { printable, printableLine } from '../lib/printable.ts';
import { addToBars, type BarCounts, barLetters, barPeriod, emptyBars, quantilesOf } from './bars.ts';
import { incidentsOf } from './incidents.ts';
import {
  type ContainerAnswer,
  type ContainerRow,
  type Incident,
  type LogAnswer,
  type LogLine,
  type PlotPoint,
  RANGES,
  type RangeName,
} from './wire.ts';

/** What the history has of a container; the monitor adds the present facts. */
export type PastRow = Omit<ContainerRow, 'status' | 'failingStreak' | 'lastCheck' | 'isRestarting'> & {
  readonly phase: Span['phase'];
};

export interface PastOverview {
  readonly fromMs: number;
  readonly rows: readonly PastRow[];
  readonly incidents: readonly Incident[];
}

export type PastDetail = Pick<ContainerAnswer, 'fromMs' | 'uptime' | 'spans' | 'incidents' | 'plot'> & {
  readonly row: PastRow;
};

/** The most that the page shows; `healthctl history` shows all. */
const MAX_INCIDENTS = 200;
const MAX_SPANS = 500;
const LOG_LINES = 100;

/** All containers in a range. */
export function pastOverview(reader: HistoryReader, range: RangeName, nowMs: number): PastOverview {
  const bars = barPeriod(RANGES[range], nowMs);
  const scale = { fromMs: bars.fromMs, barMs: RANGES[range].barMs };
  const counts = new Map<string, BarCounts>();
  reader.eachCell({ fromMs: bars.fromMs, toMs: nowMs }, (key, cell) => {
    const found = counts.get(key) ?? emptyBars(bars.count);
    counts.set(key, found);
    addToBars(found, cell, scale);
  });
  const period = { fromMs: bars.fromMs, toMs: nowMs };
  const spanned = pastOf(reader, period).map((container) => ({
    ...{ container, spans: spansOf(container.changes, nowMs) },
  }));
  return {
    fromMs: bars.fromMs,
    rows: spanned
      .filter(({ spans }) => spans.some(({ phase, toMs }) => phase !== 'gone' && toMs >= bars.fromMs))
      .map(({ container, spans }) =>
        rowOf({ container, spans, period, scale, counts: counts.get(container.key) ?? emptyBars(bars.count) }),
      ),
    incidents: spanned
      .flatMap(({ container, spans }) => incidentsOf(container, spans, period))
      .sort((a, b) => b.fromMs - a.fromMs)
      .slice(0, MAX_INCIDENTS),
  };
}

/** Reads one more day than is needed: the changes of each day begin with the phases of all containers. */
const pastOf = (
  reader: Pick<HistoryReader, 'changes'>,
  { fromMs, toMs }: Period,
  key?: string,
): readonly PastContainer[] => pastContainers(reader.changes({ fromMs: fromMs - DAY_MS, toMs }, key));

function rowOf({
  container,
  spans,
  period,
  scale,
  counts,
}: {
  readonly container: PastContainer;
  readonly spans: readonly Span[];
  readonly period: Period;
  readonly scale: { readonly fromMs: number; readonly barMs: number };
  readonly counts: BarCounts;
}): PastRow {
  const { key, namespace, id, name, image, changes } = container;
  const last = spans.at(-1);
  return {
    ...{ key, namespace, id, name: printableLine(name), image: printableLine(image) },
    ...{ phase: last?.phase ?? 'unchecked', sinceMs: last?.fromMs ?? null },
    ...{ uptime: uptimeOf(spans, period) ?? null, ...quantilesOf(counts) },
    ...{ flaps: flapsOf(spans, period), restarts: restartsOf(changes, period) },
    ...{ bar: barLetters(spans, counts, scale), succeeded: counts.succeeded, failed: counts.failed },
  };
}

/** One container in a range; undefined if the history does not know it. */
export function pastDetail(
  reader: HistoryReader,
  { key, range }: { readonly key: string; readonly range: RangeName },
  nowMs: number,
): PastDetail | undefined {
  const weekAgoMs = nowMs - 7 * DAY_MS;
  const [container] = pastOf(reader, { fromMs: weekAgoMs, toMs: nowMs }, key);
  if (!container) return undefined;
  const spans = spansOf(container.changes, nowMs);
  const bars = barPeriod(RANGES[range], nowMs);
  const period = { fromMs: bars.fromMs, toMs: nowMs };
  const scale = { fromMs: bars.fromMs, barMs: RANGES[range].barMs };
  const counts = emptyBars(bars.count);
  const points: CellMap = new Map();
  const addCell = (_: string, cell: Cell): void => {
    addToBars(counts, cell, scale);
    mergeIntoCells(points, cell, RANGES[range].pointMs);
  };
  reader.eachCell(period, addCell, key);
  const { hour = null, day = null, week = null } = uptimesOf(spans, nowMs);
  return {
    fromMs: bars.fromMs,
    row: rowOf({ container, spans, period, scale, counts }),
    uptime: { hour, day, week },
    spans: spans
      .filter(({ toMs }) => toMs >= bars.fromMs)
      .slice(-MAX_SPANS)
      .map((span) => ({ ...span, exitCode: span.exitCode ?? null, reason: printable(span.reason) })),
    incidents: incidentsOf(container, spans, period).toReversed().slice(0, MAX_INCIDENTS),
    plot: sortedCells(points).map(pointOf),
  };
}

function pointOf({ fromMs, succeeded, failed, durations, maxLagMs }: Cell): PlotPoint {
  return {
    ...{ atMs: fromMs, succeeded, failed, maxLagMs },
    p50Ms: durationAt(durations, 0.5) ?? 0,
    p95Ms: durationAt(durations, 0.95) ?? 0,
  };
}

export interface LogQuery {
  readonly key: string;
  /** Only lines before it, wall time. */
  readonly beforeMs: number;
  readonly isFailedOnly: boolean;
}

/**
 * How far back older lines are looked for, step by step: the usual case reads little, and never are more than the results
 * of a day in memory.
 */
const LOG_STEPS_MS = [30 * MINUTE_MS, 4 * HOUR_MS, ...[1, 2, 3, 4, 5, 6, 7].map((days) => days * DAY_MS)];

/**
 * The newest lines before a time: results, changes and actions. All lines of one millisecond are in one answer, because
 * the next one is asked for by a time.
 */
export function pastLog(
  reader: Pick<HistoryReader, 'eachSample' | 'changes'>,
  { key, beforeMs, isFailedOnly }: LogQuery,
): LogAnswer {
  const whole = { fromMs: beforeMs - 7 * DAY_MS, toMs: beforeMs - 1 };
  // With the changes after it: one of them may hide another one before it.
  const [container] = pastOf(reader, { ...whole, toMs: Number.MAX_SAFE_INTEGER }, key);
  const changes = container ? changeRows(container, whole).flatMap(changeLine) : [];
  let lines: readonly LogLine[] = [];
  let toMs = whole.toMs;
  for (const lengthMs of LOG_STEPS_MS) {
    const period = { fromMs: beforeMs - lengthMs, toMs };
    const found = changes.filter(({ atMs }) => atMs >= period.fromMs && atMs <= period.toMs);
    const addResult = (_: string, sample: Sample): void => {
      if (!isFailedOnly || sample.exitCode !== 0) found.push(resultLine(sample));
    };
    reader.eachSample(period, addResult, key);
    lines = [...lines, ...found.sort((a, b) => byTime(b, a))];
    if (lines.length > LOG_LINES) break;
    toMs = period.fromMs - 1;
  }
  const last = lines.slice(0, LOG_LINES).at(-1);
  const shown = last ? lines.filter(({ atMs }) => atMs >= last.atMs) : [];
  return { lines: shown, beforeMs: last && shown.length < lines.length ? last.atMs : null };
}

function resultLine(sample: Sample): LogLine {
  const { atMs, exitCode, durationMs, lagMs, output } = sample;
  return {
    ...{ atMs, kind: 'result', word: exitCode === 0 ? 'ok' : 'failed', exitCode, durationMs },
    ...{ lagMs: lagMs ?? null, text: printable(output) },
  };
}

function changeLine(row: HistoryRow): readonly LogLine[] {
  const none = { exitCode: null, durationMs: null, lagMs: null };
  switch (row.kind) {
    case 'change': {
      const { phase, exitCode, reason } = row.span;
      const text = printable(reason);
      return [{ ...none, atMs: row.atMs, kind: 'change', word: phase, exitCode: exitCode ?? null, text }];
    }
    case 'action':
      return [{ ...none, atMs: row.atMs, kind: 'action', word: row.action.action, text: printable(row.action.reason) }];
    case 'result':
    case 'period':
      return [];
  }
}
