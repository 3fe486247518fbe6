import { type Span, type Style, safe, toWidth } from './line.ts';
import type { Beat, TopRow, Usage, Word } from './model.ts';
import type { Sort } from './state.ts';
import { shareText, shortSpan, sizeText, tookText } from './texts.ts';

/** Characters that a terminal may not have. */
export interface Marks {
  readonly good: string;
  readonly bad: string;
  readonly down: string;
  readonly up: string;
}
export const UNICODE: Marks = { good: '▂', bad: '█', down: '▼', up: '▲' };
export const ASCII: Marks = { good: '.', bad: '#', down: 'v', up: '^' };

/** What a cell is made of. */
export interface CellFacts {
  readonly row: TopRow;
  readonly beats: readonly Beat[];
  readonly usage: Usage | undefined;
  readonly nowMs: number;
  readonly marks: Marks;
}

type ColumnId = Sort | 'namespace' | 'results';

interface ScreenColumn {
  readonly id: ColumnId;
  readonly title: string;
  /** Narrowest and widest. */
  readonly min: number;
  readonly max: number;
  readonly align: 'left' | 'right';
  /** On a narrow screen, the columns with the largest number go first. */
  readonly rank: number;
}

/**
 * From left to right. Each title by which rows can be sorted has room for a mark. The results are last: their marks are
 * two columns wide on some terminals.
 */
const COLUMNS: readonly ScreenColumn[] = [
  { id: 'namespace', title: 'NAMESPACE', min: 9, max: 20, align: 'left', rank: 8 },
  { id: 'name', title: 'NAME', min: 12, max: 40, align: 'left', rank: 0 },
  { id: 'status', title: 'STATUS', min: 11, max: 11, align: 'left', rank: 1 },
  { id: 'since', title: 'SINCE', min: 6, max: 6, align: 'right', rank: 2 },
  { id: 'streak', title: 'STREAK', min: 7, max: 7, align: 'right', rank: 4 },
  { id: 'next', title: 'NEXT', min: 5, max: 5, align: 'right', rank: 5 },
  { id: 'took', title: 'TOOK', min: 5, max: 5, align: 'right', rank: 9 },
  { id: 'cpu', title: 'CPU', min: 5, max: 5, align: 'right', rank: 6 },
  { id: 'memory', title: 'MEMORY', min: 7, max: 7, align: 'right', rank: 7 },
  { id: 'results', title: 'RESULTS', min: 8, max: 48, align: 'right', rank: 3 },
];

export interface PlacedColumn extends ScreenColumn {
  readonly width: number;
}

/** Columns with a space between two, after one for the mark of the selected row. @param longest names */
export function placeColumns(
  width: number,
  longest: { readonly name: number; readonly namespace: number | undefined },
): readonly PlacedColumn[] {
  let columns = COLUMNS.filter(({ id }) => id !== 'namespace' || longest.namespace !== undefined);
  const needed = (): number => columns.reduce((sum, { min }) => sum + min + 1, 0);
  while (columns.length > 1 && needed() > width) {
    const last = columns.reduce((worst, column) => (column.rank > worst.rank ? column : worst));
    columns = columns.filter((column) => column !== last);
  }
  let left = Math.max(0, width - needed());
  const widths = new Map(columns.map(({ id, min }) => [id, min]));
  /** Up to this width, as far as there is room. */
  const grow = (id: ColumnId, wanted: number): void => {
    const column = columns.find((each) => each.id === id);
    const now = widths.get(id);
    if (!column || now === undefined) return;
    const more = Math.max(0, Math.min(left, Math.min(wanted, column.max) - now));
    widths.set(id, now + more);
    left -= more;
  };
  grow('name', Math.min(longest.name, 24));
  grow('namespace', longest.namespace ?? 0);
  grow('results', 30);
  grow('name', longest.name);
  grow('results', Number.POSITIVE_INFINITY);
  return columns.map((column) => ({ ...column, width: widths.get(column.id) ?? column.min }));
}

/** The cells of a row, each as wide as its column. */
export function cellOf(column: PlacedColumn, facts: CellFacts): readonly Span[] {
  if (column.id === 'results') return barOf(facts, column.width);
  const { text, style } = textOf(column.id, facts);
  const fitted = toWidth(text, column.width, column.align);
  return [style === undefined ? { text: fitted } : { text: fitted, style }];
}

function textOf(id: Exclude<ColumnId, 'results'>, { row, usage, nowMs }: CellFacts): Span {
  switch (id) {
    case 'namespace':
      return safe(row.namespace, 'dim');
    case 'name':
      return safe(row.name);
    case 'status':
      return statusOf(row);
    case 'since':
      return { text: row.sinceMs === undefined ? '' : shortSpan(nowMs - row.sinceMs) };
    case 'streak':
      return row.streak === 0
        ? { text: row.hasCheck ? '0' : '', style: 'dim' }
        : { text: `${row.streak}`, style: 'bad' };
    case 'next':
      return nextOf(row, nowMs);
    case 'took':
      return { text: row.last ? tookText(row.last.durationMs) : '' };
    case 'cpu':
      return { text: usage?.cpu === undefined ? '' : shareText(usage.cpu) };
    case 'memory':
      return { text: usage?.memoryBytes === undefined ? '' : sizeText(usage.memoryBytes) };
  }
}

const STYLES: Readonly<Record<Word, Style | undefined>> = {
  ...{ unhealthy: 'bad', ended: 'bad', restarting: 'warn', unknown: 'warn', starting: 'warn', paused: 'warn' },
  ...{ healthy: 'good', unchecked: undefined, created: 'dim', stopped: 'dim' },
};

/** `ended (137)`, for example. */
export function statusOf({ word, exitCode }: Pick<TopRow, 'word' | 'exitCode'>): Span {
  const text = exitCode === undefined || word !== 'ended' ? word : `${word} (${exitCode})`;
  const style = STYLES[word];
  return style === undefined ? { text } : { text, style };
}

/** A check that is due soon may be in flight already. */
const NOW_MS = 1_000;

export function nextOf({ nextCheckMs, nextRestartMs }: TopRow, nowMs: number): Span {
  const atMs = nextCheckMs ?? nextRestartMs;
  if (atMs === undefined) return { text: '' };
  return { text: atMs - nowMs < NOW_MS ? 'now' : shortSpan(atMs - nowMs) };
}

/** The last results, the newest on the right. */
function barOf({ beats, marks }: CellFacts, width: number): readonly Span[] {
  const shown = beats.slice(-width);
  const spans: { text: string; style?: Style }[] = [{ text: ' '.repeat(Math.max(0, width - shown.length)) }];
  for (const { isGood, isGrace } of shown) {
    const style: Style = isGood ? 'good' : isGrace ? 'warn' : 'bad';
    const last = spans.at(-1);
    const mark = isGood ? marks.good : marks.bad;
    if (last?.style === style) last.text += mark;
    else spans.push({ text: mark, style });
  }
  return spans;
}

/** The bar without styles, for lists. */
export const barText = (beats: readonly Beat[], marks: Marks): string =>
  beats.map(({ isGood }) => (isGood ? marks.good : marks.bad)).join('');
