import { type Key, PASTE } from './keys.ts';
import type { Look, Size, Usage } from './model.ts';
import { pageLines } from './pages.ts';
import {
  type Action,
  type Details,
  listedRows,
  type Mode,
  pageOf,
  type ScreenState,
  SHOWS,
  SORTS,
  selectedRow,
  settled,
} from './state.ts';

/** What happens to the screen. */
export type Input =
  | { readonly kind: 'key'; readonly key: Key }
  | { readonly kind: 'look'; readonly look: Look }
  | { readonly kind: 'failed'; readonly text: string }
  | { readonly kind: 'usage'; readonly usage: ReadonlyMap<string, Usage> }
  | { readonly kind: 'tick' }
  | { readonly kind: 'details'; readonly details: Details }
  | { readonly kind: 'note'; readonly text: string; readonly isBad: boolean }
  /** @see name as in `running` */
  | { readonly kind: 'acted'; readonly name: string; readonly text: string; readonly isBad: boolean };

/** What is to be done besides drawing. */
export type Effect =
  | { readonly kind: 'quit'; readonly exitCode: number }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'look' }
  | { readonly kind: 'open'; readonly key: string }
  | { readonly kind: 'act'; readonly action: Action; readonly key: string; readonly name: string };

export interface Step {
  readonly state: ScreenState;
  readonly effects: readonly Effect[];
}

/** How long a message stays on the last line. */
const MESSAGE_MS = 8_000;

/** Pure: the next state. @param at the size of the terminal, and the time */
export function update(state: ScreenState, input: Input, at: { readonly size: Size; readonly nowMs: number }): Step {
  const { size, nowMs } = at;
  const { message } = state;
  const current = message && nowMs - message.atMs < MESSAGE_MS ? message : undefined;
  const step = inputTaken({ ...state, nowMs, message: current }, input, size);
  return { ...step, state: settled(step.state, size) };
}

const only = (state: ScreenState): Step => ({ state, effects: [] });
const and = (state: ScreenState, ...effects: readonly Effect[]): Step => ({ state, effects });

function inputTaken(state: ScreenState, input: Input, size: Size): Step {
  switch (input.kind) {
    case 'key':
      return keyTaken(state, input.key, size);
    case 'look':
      return lookTaken(state, input.look);
    case 'failed':
      return only({ ...state, failure: input.text });
    case 'usage':
      return only({ ...state, usage: input.usage });
    case 'tick':
      return only(state);
    case 'details':
      return only(
        state.mode.kind === 'details' && state.mode.key === input.details.key
          ? { ...state, details: input.details }
          : state,
      );
    case 'note':
      return only(noted(state, input));
    case 'acted':
      return and(noted({ ...state, running: state.running.filter((name) => name !== input.name) }, input), {
        kind: 'look',
      });
  }
}

const noted = (
  state: ScreenState,
  { text, isBad }: { readonly text: string; readonly isBad: boolean },
): ScreenState => ({
  ...state,
  message: { text, isBad, atMs: state.nowMs },
});

function lookTaken(state: ScreenState, { rows, beats, checkers }: Look): Step {
  const next = { ...state, rows, beats, checkers, failure: undefined };
  if (state.mode.kind !== 'details') return only(next);
  const { key } = state.mode;
  const [before, now] = [state.rows, rows].map((each) => each.find((row) => row.key === key));
  const isSame = before?.last?.endMs === now?.last?.endMs && before?.word === now?.word;
  return now === undefined || isSame ? only(next) : and(next, { kind: 'open', key });
}

function keyTaken(state: ScreenState, key: Key, size: Size): Step {
  if (key === 'ctrl-c') return and(state, { kind: 'quit', exitCode: 130 });
  if (key === 'ctrl-z') return and(state, { kind: 'suspend' });
  if (key === 'ctrl-l') return and(state, { kind: 'redraw' }, { kind: 'look' });
  if (state.question) return questionAnswered(state, key);
  switch (state.mode.kind) {
    case 'list':
      return listKey(state, key, size);
    case 'search':
      return searchKey(state, state.mode, key);
    case 'help':
    case 'details':
      return pageKey(state, state.mode, { key, size });
  }
}

function questionAnswered(state: ScreenState, key: Key): Step {
  const { question, ...rest } = state;
  const answered: ScreenState = { ...rest, question: undefined };
  if (!question || (key !== 'y' && key !== 'Y')) return only(answered);
  if (question.kind === 'quit') return and(answered, { kind: 'quit', exitCode: 0 });
  const { action, row } = question;
  const name = `${action} ${row.name}`;
  if (state.running.includes(name)) return only(noted(answered, { text: `${name}: still running`, isBad: true }));
  return and({ ...answered, running: [...state.running, name] }, { kind: 'act', action, key: row.key, name });
}

const quit = (state: ScreenState): Step =>
  state.running.length === 0
    ? and(state, { kind: 'quit', exitCode: 0 })
    : only({ ...state, question: { kind: 'quit' } });

const ASKS: Readonly<Record<string, Action>> = { c: 'check', r: 'restart' };

function asked(state: ScreenState, action: Action): Step {
  const key = state.mode.kind === 'details' ? state.mode.key : state.selected;
  const row = state.rows.find((each) => each.key === key);
  return only(row ? { ...state, question: { kind: 'act', action, row } } : state);
}

function listKey(state: ScreenState, key: Key, size: Size): Step {
  const action = ASKS[key];
  if (action) return asked(state, action);
  switch (key) {
    case 'q':
      return quit(state);
    case '?':
    case 'h':
      return only({ ...state, mode: { kind: 'help', scroll: 0 } });
    case '/':
      return only({ ...state, mode: { kind: 'search', before: state.search } });
    case 'escape':
      return only({ ...state, search: '', show: 'all' });
    case 'enter':
      return opened(state);
    case 'f':
      return only({ ...state, show: next(SHOWS, state.show, 1), top: 0 });
    case 's':
    case '>':
    case 'right':
      return only({ ...state, sort: next(SORTS, state.sort, 1), top: 0 });
    case '<':
    case 'left':
      return only({ ...state, sort: next(SORTS, state.sort, -1), top: 0 });
    case 'R':
      return only({ ...state, isReversed: !state.isReversed });
    default:
      return only(moved(state, key, size));
  }
}

function opened(state: ScreenState): Step {
  const row = selectedRow(state);
  if (!row) return only(state);
  const { key } = row;
  return and({ ...state, mode: { kind: 'details', key, scroll: 0 }, details: undefined }, { kind: 'open', key });
}

/** The place that a key leads to, from another one; undefined for other keys. */
function placeAfter(
  key: Key,
  from: number,
  { page, count }: { readonly page: number; readonly count: number },
): number | undefined {
  const half = Math.max(1, Math.floor(page / 2));
  const places: Readonly<Record<string, number>> = {
    ...{ up: from - 1, k: from - 1, 'ctrl-p': from - 1, down: from + 1, j: from + 1, 'ctrl-n': from + 1 },
    ...{ pageup: from - page, 'ctrl-b': from - page, pagedown: from + page, 'ctrl-f': from + page, ' ': from + page },
    ...{ 'ctrl-u': from - half, 'ctrl-d': from + half, home: 0, g: 0, end: count - 1, G: count - 1 },
  };
  const place = places[key];
  return place === undefined ? undefined : Math.max(0, Math.min(place, count - 1));
}

function moved(state: ScreenState, key: Key, size: Size): ScreenState {
  const rows = listedRows(state);
  const cursor = placeAfter(key, state.cursor, { page: pageOf(size), count: rows.length });
  return cursor === undefined ? state : { ...state, cursor, selected: rows[cursor]?.key };
}

/** More is no name. */
const MAX_SEARCH = 256;

function searchKey(state: ScreenState, mode: Extract<Mode, { kind: 'search' }>, key: Key): Step {
  const list: Mode = { kind: 'list' };
  switch (key) {
    case 'enter':
      return only({ ...state, mode: list });
    case 'escape':
      return only({ ...state, mode: list, search: mode.before });
    case 'backspace':
      return only({ ...state, search: [...state.search].slice(0, -1).join('') });
    case 'ctrl-u':
      return only({ ...state, search: '' });
    default:
      if (key.startsWith(PASTE)) return only({ ...state, search: withPasted(state.search, key.slice(PASTE.length)) });
      // The names of other keys are longer than a character.
      return only(
        [...key].length === 1 && state.search.length < MAX_SEARCH ? { ...state, search: state.search + key } : state,
      );
  }
}

/** The first line of it. */
const withPasted = (search: string, text: string): string =>
  `${search}${text.trim().split(/[\r\n]/)[0] ?? ''}`.slice(0, MAX_SEARCH);

function pageKey(
  state: ScreenState,
  mode: Extract<Mode, { kind: 'help' | 'details' }>,
  { key, size }: { readonly key: Key; readonly size: Size },
): Step {
  const action = mode.kind === 'details' ? ASKS[key] : undefined;
  if (action) return asked(state, action);
  const isBack =
    ['q', 'escape', 'backspace', 'left'].includes(key) || (mode.kind === 'help' && (key === '?' || key === 'enter'));
  if (isBack) return only({ ...state, mode: { kind: 'list' }, details: undefined });
  if (key === '?') return only({ ...state, mode: { kind: 'help', scroll: 0 } });
  const page = pageOf(size);
  const count = Math.max(1, pageLines(state, size).length - page + 1);
  const scroll = placeAfter(key, Math.min(mode.scroll, count - 1), { page, count });
  return only(scroll === undefined ? state : { ...state, mode: { ...mode, scroll } });
}

function next<T>(all: readonly T[], from: T, step: number): T {
  const at = (all.indexOf(from) + step + all.length) % all.length;
  return all[at] ?? from;
}
