import { type Beat, type Checkers, type Look, type Size, type TopRow, type Usage, WORDS, type Word } from './model.ts';

/** What rows can be sorted by, in the order of the columns. */
export const SORTS = ['name', 'status', 'since', 'streak', 'next', 'took', 'cpu', 'memory'] as const;
export type Sort = (typeof SORTS)[number];

/** Which rows are shown. */
export const SHOWS = ['all', 'in trouble', 'checked', 'running'] as const;
type Show = (typeof SHOWS)[number];

export type Action = 'check' | 'restart';

/** The result of a check, on the page of its container. */
export interface PastResult {
  readonly atMs: number;
  readonly durationMs: number;
  readonly exitCode: number;
  readonly output: string;
}

/** The page of one container. */
export interface Details {
  readonly key: string;
  /** What `explain` says. */
  readonly about: string;
  /** The newest first. */
  readonly results: readonly PastResult[];
}

export type Mode =
  | { readonly kind: 'list' }
  /** @see before the text to which escape returns */
  | { readonly kind: 'search'; readonly before: string }
  | { readonly kind: 'help'; readonly scroll: number }
  | { readonly kind: 'details'; readonly key: string; readonly scroll: number };

/** What the last line asks; only `y` means yes. */
export type Question =
  | { readonly kind: 'act'; readonly action: Action; readonly row: TopRow }
  /** An action has not ended. */
  | { readonly kind: 'quit' };

/** Everything that is drawn. */
export interface ScreenState {
  readonly nowMs: number;
  /** Undefined: more than one, which the rows name. */
  readonly namespace: string | undefined;
  readonly rows: readonly TopRow[];
  readonly beats: ReadonlyMap<string, readonly Beat[]>;
  readonly usage: ReadonlyMap<string, Usage>;
  readonly checkers: Checkers;
  readonly sort: Sort;
  readonly isReversed: boolean;
  readonly show: Show;
  readonly search: string;
  /** The key of the selected row, and its place in the list. */
  readonly selected: string | undefined;
  readonly cursor: number;
  /** The first row in view. */
  readonly top: number;
  readonly mode: Mode;
  readonly question: Question | undefined;
  readonly details: Details | undefined;
  readonly message: Message | undefined;
  /** Why the last look failed. */
  readonly failure: string | undefined;
  /** Names of the actions that have not ended. */
  readonly running: readonly string[];
}

interface Message {
  readonly text: string;
  readonly isBad: boolean;
  readonly atMs: number;
}

export function initialState(options: {
  readonly look: Look;
  readonly nowMs: number;
  readonly namespace: string | undefined;
  readonly sort: Sort;
}): ScreenState {
  const { look, ...rest } = options;
  const { rows, beats, checkers } = look;
  return {
    ...{ ...rest, rows, beats, checkers },
    ...{ usage: new Map(), isReversed: false, show: 'all', search: '', selected: undefined, cursor: 0, top: 0 },
    ...{ mode: { kind: 'list' }, question: undefined, details: undefined, message: undefined, failure: undefined },
    running: [],
  };
}

/** Lines of the list besides its rows: two of the head, the titles, the last line. */
const FRAME = 4;

/** How many rows, or lines of a page, are in view. */
export const pageOf = ({ rows }: Size): number => Math.max(1, rows - FRAME);

/** Need a look. */
const TROUBLE: ReadonlySet<Word> = new Set(['unhealthy', 'ended', 'restarting', 'unknown']);

/** The rows of the list: filtered, searched, sorted. */
export function listedRows(state: ScreenState): readonly TopRow[] {
  const { rows, show, search, isReversed } = state;
  const wanted = search.toLowerCase();
  const found = rows
    .filter((row) => isShown(row, show) && (wanted === '' || textOf(row).includes(wanted)))
    .sort(orderOf(state));
  return isReversed ? found.reverse() : found;
}

const textOf = ({ namespace, name, image, id }: TopRow): string => `${namespace}/${name} ${image} ${id}`.toLowerCase();

function isShown({ word, hasCheck, state }: TopRow, show: Show): boolean {
  switch (show) {
    case 'all':
      return true;
    case 'in trouble':
      return TROUBLE.has(word);
    case 'checked':
      return hasCheck;
    case 'running':
      return state === 'running' || state === 'paused';
  }
}

/** Numbers with the largest first, except the next check; rows without one come last; then by name. */
function orderOf({ sort, usage, nowMs }: ScreenState): (a: TopRow, b: TopRow) => number {
  const numberOf = (row: TopRow): number | undefined => {
    switch (sort) {
      case 'name':
        return 0;
      case 'status':
        return WORDS.indexOf(row.word);
      case 'since':
        return row.sinceMs === undefined ? undefined : row.sinceMs - nowMs;
      case 'streak':
        return -row.streak;
      case 'next':
        return row.nextCheckMs ?? row.nextRestartMs;
      case 'took':
        return row.last && -row.last.durationMs;
      case 'cpu':
        return negated(usage.get(row.key)?.cpu);
      case 'memory':
        return negated(usage.get(row.key)?.memoryBytes);
    }
  };
  return (a, b) =>
    (numberOf(a) ?? Number.POSITIVE_INFINITY) - (numberOf(b) ?? Number.POSITIVE_INFINITY) || byName(a, b);
}

const negated = (value: number | undefined): number | undefined => (value === undefined ? undefined : -value);

function byName(a: TopRow, b: TopRow): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

/** The selected row; undefined in an empty list. */
export const selectedRow = (state: ScreenState): TopRow | undefined =>
  listedRows(state).find(({ key }) => key === state.selected);

/** The rows whose CPU and memory are needed: those in view, or all when they are sorted by them. */
export function measuredRows(state: ScreenState, size: Size): readonly TopRow[] {
  if (state.mode.kind === 'details' || state.mode.kind === 'help') return [];
  if (state.sort === 'cpu' || state.sort === 'memory') return state.rows;
  return listedRows(state).slice(state.top, state.top + pageOf(size));
}

/** The same state with a selected row that exists and is in view. */
export function settled(state: ScreenState, size: Size): ScreenState {
  const rows = listedRows(state);
  const found = rows.findIndex(({ key }) => key === state.selected);
  const cursor = found >= 0 ? found : Math.max(0, Math.min(state.cursor, rows.length - 1));
  const page = pageOf(size);
  const lowest = Math.max(0, Math.min(state.top, rows.length - page));
  const top = Math.min(cursor, Math.max(lowest, cursor - page + 1));
  return { ...state, cursor, top, selected: rows[cursor]?.key };
}
