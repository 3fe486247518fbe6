import { printableLine } from '../../lib/printable.ts';
import { displayWidth } from '../format/columns.ts';
import { cellOf, type Marks, type PlacedColumn, placeColumns, statusOf } from './columns.ts';
import { lineOf, type Palette, type Span, safe, toWidth } from './line.ts';
import { type Size, type TopRow, WORDS } from './model.ts';
import { pageLines } from './pages.ts';
import { type Action, listedRows, pageOf, type Question, type ScreenState } from './state.ts';
import { clockText, shortSpan } from './texts.ts';

/** How the screen looks on a terminal. */
export interface Appearance {
  readonly palette: Palette;
  readonly marks: Marks;
}

/** Pure: the lines of the screen, one for each row of the terminal, none longer than it is wide. */
export function draw(state: ScreenState, size: Size, { palette, marks }: Appearance): readonly string[] {
  const body =
    state.mode.kind === 'list' || state.mode.kind === 'search' ? listBody(state, size, marks) : pageBody(state, size);
  const lines = [...headOf(state, size), ...body];
  const height = Math.max(1, size.rows - 1);
  // On a tiny screen, the rows are more use than the head.
  const shown = lines.length > height && size.rows < 6 ? lines.slice(lines.length - height) : lines.slice(0, height);
  const filled = [...shown, ...Array.from({ length: height - shown.length }, () => [])];
  const last = size.rows > 1 ? [lastLine(state)] : [];
  return [...filled, ...last].map((spans) => lineOf(spans, size.columns, palette));
}

type Line = readonly Span[];

function headOf(state: ScreenState, { columns }: Size): readonly Line[] {
  const { checkers, nowMs, failure } = state;
  const title = `healthctl top  ${clockText(nowMs)}  ${state.namespace === undefined ? 'all namespaces' : printableLine(state.namespace)}`;
  const right = printableLine(failure ?? checkers.text);
  const isBad = failure !== undefined || checkers.isBad;
  const about: Span = { text: right, style: isBad ? 'warn' : 'dim' };
  const space = columns - displayWidth(title) - displayWidth(right);
  // What is wrong is more important than the time.
  const first: Line =
    space < 2 && isBad ? [about] : [{ text: title, style: 'title' }, { text: ' '.repeat(Math.max(2, space)) }, about];
  return [first, countLine(state)];
}

/** How many there are of each status, and what is not shown. */
function countLine(state: ScreenState): Line {
  const { rows, show, search } = state;
  const counts = new Map<TopRow['word'], number>();
  for (const { word } of rows) counts.set(word, (counts.get(word) ?? 0) + 1);
  const parts = WORDS.flatMap((word): readonly Span[] => {
    const count = counts.get(word);
    if (count === undefined) return [];
    const { style } = statusOf({ word, exitCode: undefined });
    return [{ text: '  ' }, { text: `${count} ${word}`, ...(style === undefined ? {} : { style }) }];
  });
  const limits = [...(show === 'all' ? [] : [show]), ...(search === '' ? [] : [`/${printableLine(search)}`])];
  const all = rows.length === 1 ? '1 container' : `${rows.length} containers`;
  if (limits.length === 0) return [{ text: `${all}:` }, ...parts];
  return [
    { text: `${all}, ` },
    { text: `shown ${listedRows(state).length}: ${limits.join(', ')}`, style: 'bold' },
    ...parts,
  ];
}

function listBody(state: ScreenState, size: Size, marks: Marks): readonly Line[] {
  const rows = listedRows(state);
  const longest = (textOf: (row: TopRow) => string): number =>
    state.rows.reduce((most, row) => Math.max(most, displayWidth(printableLine(textOf(row)))), 0);
  const columns = placeColumns(size.columns, {
    name: longest(({ name }) => name),
    namespace: state.namespace === undefined ? longest(({ namespace }) => namespace) : undefined,
  });
  const shown = rows.slice(state.top, state.top + pageOf(size));
  const lines = shown.map((row) => rowLine(state, row, { columns, marks, width: size.columns }));
  const empty: readonly Line[] = rows.length > 0 ? [] : [[{ text: emptyText(state), style: 'dim' }]];
  return [titleLine(state, columns, { marks, width: size.columns }), ...lines, ...empty];
}

function emptyText({ rows, namespace }: ScreenState): string {
  if (rows.length > 0) return ' nothing is like that: esc shows all containers';
  return namespace === undefined
    ? ' there are no containers'
    : ` there are no containers in the namespace ${printableLine(namespace)}`;
}

interface Placed {
  readonly columns: readonly PlacedColumn[];
  readonly marks: Marks;
  readonly width: number;
}

/** A mark shows the column by which rows are sorted. */
function titleLine(
  { sort, isReversed }: ScreenState,
  columns: readonly PlacedColumn[],
  { marks, width }: Omit<Placed, 'columns'>,
): Line {
  const texts = columns.map((column) => {
    const mark = column.id === sort ? (isReversed ? marks.up : marks.down) : '';
    const room = column.width - displayWidth(mark);
    const title = column.title.slice(0, Math.max(0, room));
    return toWidth(column.align === 'left' ? title + mark : mark + title, column.width, column.align);
  });
  return [{ text: toWidth(` ${texts.join(' ')}`, width), style: 'reverse' }];
}

function rowLine(state: ScreenState, row: TopRow, { columns, marks, width }: Placed): Line {
  const { key } = row;
  const facts = { row, beats: state.beats.get(key) ?? [], usage: state.usage.get(key), nowMs: state.nowMs, marks };
  const cells = columns.flatMap((column, index) => [...(index === 0 ? [] : [{ text: ' ' }]), ...cellOf(column, facts)]);
  if (key !== state.selected) return [{ text: ' ' }, ...cells];
  return [{ text: toWidth(`>${cells.map(({ text }) => text).join('')}`, width), style: 'reverse' }];
}

function pageBody(state: ScreenState, size: Size): readonly Line[] {
  const { mode } = state;
  if (mode.kind !== 'help' && mode.kind !== 'details') return [];
  const lines = pageLines(state, size);
  const page = pageOf(size);
  const scroll = Math.max(0, Math.min(mode.scroll, lines.length - page));
  const shown = lines.slice(scroll, scroll + page).map((span) => [span]);
  const where =
    lines.length > page ? `  ${scroll + 1}-${Math.min(lines.length, scroll + page)} of ${lines.length}` : '';
  const title = mode.kind === 'help' ? ' Help' : ` ${detailsTitle(state, mode.key)}`;
  return [[{ text: toWidth(title + where, size.columns), style: 'reverse' }], ...shown];
}

function detailsTitle({ rows, nowMs }: ScreenState, key: string): string {
  const row = rows.find((each) => each.key === key);
  if (!row) return 'The container is gone';
  const since = row.sinceMs === undefined ? '' : `, for ${shortSpan(nowMs - row.sinceMs)}`;
  return `${printableLine(row.name)}: ${statusOf(row).text}${since}`;
}

const LIST_KEYS = 'q quit  ? help  / search  f filter  s sort  enter details  c check  r restart';
const PAGE_KEYS = 'q back  ? help  j k scroll  c check  r restart';

function lastLine(state: ScreenState): Line {
  const { question, mode, search, message, running } = state;
  if (question) return [{ text: questionText(question, running), style: 'warn' }];
  if (mode.kind === 'search') return [{ text: '/' }, safe(search), { text: ' ', style: 'reverse' }];
  if (message) return [safe(message.text, message.isBad ? 'bad' : 'good')];
  if (running.length > 0) return [safe(`running: ${running.join(', ')}`, 'warn')];
  const keys = mode.kind === 'list' ? LIST_KEYS : mode.kind === 'help' ? 'q back' : PAGE_KEYS;
  return [{ text: keys, style: 'dim' }];
}

const ASKED: Readonly<Record<Action, (name: string) => string>> = {
  check: (name) => `Check ${name} now, besides its schedule?`,
  restart: (name) => `Restart ${name}? It is stopped, and started again.`,
};

function questionText(question: Question, running: readonly string[]): string {
  switch (question.kind) {
    case 'act':
      return `${ASKED[question.action](printableLine(question.row.name))} [y/N]`;
    case 'quit':
      return `Not finished: ${printableLine(running.join(', '))}. Break off and quit? [y/N]`;
  }
}
