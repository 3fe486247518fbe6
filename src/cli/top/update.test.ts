import { describe, expect, test } from 'vitest';
import { aTopRow, T0, topState } from '../../../test/builders/top.ts';
import type { Key } from './keys.ts';
import type { ScreenState } from './state.ts';
import { listedRows, measuredRows } from './state.ts';
import { type Effect, type Input, update } from './update.ts';

const size = { columns: 100, rows: 9 }; // five rows in view

/** What comes of inputs, one after the other. */
function pressed(
  state: ScreenState,
  ...inputs: readonly (Input | Key)[]
): { state: ScreenState; effects: readonly Effect[] } {
  const effects: Effect[] = [];
  let current = state;
  for (const input of inputs) {
    const given: Input = typeof input === 'string' ? { kind: 'key', key: input } : input;
    const step = update(current, given, { size, nowMs: T0 });
    current = step.state;
    effects.push(...step.effects);
  }
  return { state: current, effects };
}
const names = (state: ScreenState): readonly string[] => listedRows(state).map(({ name }) => name);
const twelve = topState(Array.from({ length: 12 }, (_, at) => aTopRow({ name: `web-${String(at).padStart(2, '0')}` })));
const named = (name: string) => aTopRow({ name });

describe('the selected row', () => {
  test.each([
    [['j', 'down', 'k'], 'web-01', 0],
    [['G'], 'web-11', 7],
    [['G', 'g'], 'web-00', 0],
    [['pagedown'], 'web-05', 1],
    [['pagedown', 'pagedown', 'pagedown', 'pageup'], 'web-06', 6],
    [['ctrl-d'], 'web-02', 0],
    [['up'], 'web-00', 0],
    [['end', 'down'], 'web-11', 7],
    [['x', 'delete'], 'web-00', 0],
  ])('after %j it is %s', (keys, name, top) => {
    const { state } = pressed(twelve, ...keys);
    expect([state.selected, state.top]).toEqual([`default/${name}`, top]);
  });

  test('stays the same container when others come, and when rows are sorted anew', () => {
    const { state } = pressed(topState([named('b'), named('c')]), 'j', {
      kind: 'look',
      look: { ...topState([named('a'), named('b'), named('c')]) },
    });
    expect([state.selected, state.cursor]).toEqual(['default/c', 2]);
    expect(pressed(state, 'R').state).toMatchObject({ selected: 'default/c', cursor: 0 });
  });

  test('is the next one when it is gone, and none in an empty list', () => {
    const { state } = pressed(topState([named('a'), named('b'), named('c')]), 'j', {
      kind: 'look',
      look: { ...topState([named('a'), named('c')]) },
    });
    expect(state.selected).toBe('default/c');
    const { state: empty, effects } = pressed(topState([]), 'j', 'enter', 'c', 'r');
    expect([empty.selected, empty.question, empty.mode.kind, effects]).toEqual([undefined, undefined, 'list', []]);
  });

  test('is in view after the terminal has shrunk', () => {
    const { state } = pressed(twelve, 'j', 'j', 'j', 'j');
    expect(update(state, { kind: 'tick' }, { size: { columns: 20, rows: 6 }, nowMs: T0 }).state.top).toBe(3);
  });
});

describe('order and choice', () => {
  const mixed = topState([
    aTopRow({ name: 'fine' }),
    aTopRow({ name: 'down', word: 'unhealthy', streak: 4, image: 'shop/db:1' }),
    aTopRow({
      name: 'off',
      word: 'stopped',
      state: 'exited',
      hasCheck: false,
      last: undefined,
      nextCheckMs: undefined,
    }),
    aTopRow({ name: 'crash', word: 'ended', state: 'exited', nextCheckMs: undefined }),
  ]);

  test('what needs a look comes first', () => {
    expect(names(mixed)).toEqual(['down', 'crash', 'fine', 'off']);
  });

  test.each([
    [['s', 's', 's'], 'next', ['down', 'fine', 'crash', 'off']],
    [['<'], 'name', ['crash', 'down', 'fine', 'off']],
    [['left', 'R'], 'name', ['off', 'fine', 'down', 'crash']],
    [['>', '>'], 'streak', ['down', 'crash', 'fine', 'off']],
    [['<', '<'], 'memory', ['crash', 'down', 'fine', 'off']],
  ])('%j sorts by %s', (keys, sort, order) => {
    const { state } = pressed(mixed, ...keys);
    expect([state.sort, names(state)]).toEqual([sort, order]);
  });

  test('f shows those in trouble, those with a check, those that run, all', () => {
    const seen = [1, 2, 3, 4].map((times) => names(pressed(mixed, ...Array.from({ length: times }, () => 'f')).state));
    expect(seen).toEqual([
      ['down', 'crash'],
      ['down', 'crash', 'fine'],
      ['down', 'fine'],
      ['down', 'crash', 'fine', 'off'],
    ]);
  });

  test('a search is for names, images and ids; enter keeps it, escape returns to the one before', () => {
    const found = pressed(mixed, '/', 'D', 'B');
    expect(names(found.state)).toEqual(['down']);
    const kept = pressed(found.state, 'enter', 'j');
    expect([kept.state.mode.kind, kept.state.search]).toEqual(['list', 'DB']);
    const changed = pressed(kept.state, '/', 'ctrl-u', 'paste:cra\nsh', 'backspace');
    expect(changed.state.search).toBe('cr');
    expect(pressed(changed.state, 'escape').state.search).toBe('DB');
    expect(pressed(changed.state, 'enter', 'escape').state.search).toBe('');
    expect(pressed(mixed, '/', 'up', 'pagedown', 'q').state.search).toBe('q');
  });

  test('usage is measured for the rows in view, for all when they are sorted by it', () => {
    expect(measuredRows(twelve, size)).toHaveLength(5);
    expect(measuredRows(pressed(twelve, '<', '<').state, size)).toHaveLength(12);
    expect(measuredRows(pressed(twelve, 'enter').state, size)).toEqual([]);
  });
});

describe('actions', () => {
  const one = topState([named('web')]);

  test.each([
    ['c', 'check'],
    ['r', 'restart'],
  ])('%s asks first, and only y means yes', (key, action) => {
    for (const no of ['n', 'enter', 'escape', ' ', 'paste:y']) {
      const { state, effects } = pressed(one, key, no);
      expect([state.question, state.running, effects]).toEqual([undefined, [], []]);
    }
    const { state, effects } = pressed(one, key, 'y');
    expect(effects).toEqual([{ kind: 'act', action, key: 'default/web', name: `${action} web` }]);
    expect(state.running).toEqual([`${action} web`]);
  });

  test('a row that moves while it is asked does not change who is meant', () => {
    const asked = pressed(one, 'r', { kind: 'look', look: topState([named('a'), named('web')]) });
    expect(pressed(asked.state, 'y').effects).toMatchObject([{ key: 'default/web' }]);
  });

  test('the same action is not started twice; its end is told, and everything is looked at', () => {
    const running = pressed(one, 'r', 'y').state;
    expect(pressed(running, 'r', 'y').effects).toEqual([]);
    const { state, effects } = pressed(running, { kind: 'acted', name: 'restart web', text: 'done', isBad: false });
    expect([state.running, state.message?.text, effects]).toEqual([[], 'done', [{ kind: 'look' }]]);
  });

  test('q asks while an action runs, Ctrl-C does not', () => {
    const running = pressed(one, 'r', 'y').state;
    const asked = pressed(running, 'q');
    expect([asked.state.question, asked.effects]).toEqual([{ kind: 'quit' }, []]);
    expect(pressed(asked.state, 'y').effects).toEqual([{ kind: 'quit', exitCode: 0 }]);
    expect(pressed(running, 'ctrl-c').effects).toEqual([{ kind: 'quit', exitCode: 130 }]);
    expect(pressed(one, 'q').effects).toEqual([{ kind: 'quit', exitCode: 0 }]);
  });
});

describe('pages', () => {
  test('enter opens the details, q goes back; actions are for that container', () => {
    const { state, effects } = pressed(twelve, 'j', 'enter');
    expect([state.mode, effects]).toEqual([
      { kind: 'details', key: 'default/web-01', scroll: 0 },
      [{ kind: 'open', key: 'default/web-01' }],
    ]);
    expect(pressed(state, 'r', 'y').effects).toMatchObject([{ action: 'restart', key: 'default/web-01' }]);
    expect(pressed(state, 'q').state.mode.kind).toBe('list');
    expect(pressed(state, 'escape').effects).toEqual([]);
  });

  test('details of another container come too late; a new result of this one is fetched', () => {
    const { state } = pressed(twelve, 'enter');
    const late = { kind: 'details', details: { key: 'default/web-05', about: 'late', results: [] } } as const;
    expect(pressed(state, late).state.details).toBeUndefined();
    const look = topState(twelve.rows.map((row) => ({ ...row, last: { endMs: T0, durationMs: 1, exitCode: 0 } })));
    expect(pressed(state, { kind: 'look', look }).effects).toEqual([{ kind: 'open', key: 'default/web-00' }]);
    expect(pressed(state, { kind: 'look', look: twelve }).effects).toEqual([]);
  });

  test('a page scrolls no further than its end', () => {
    const { state } = pressed(twelve, '?', 'G');
    const { mode } = state;
    expect(mode.kind === 'help' && mode.scroll).toBeGreaterThan(10);
    expect(pressed(state, 'j', 'pagedown').state.mode).toEqual(mode);
    expect(pressed(state, 'g').state.mode).toEqual({ kind: 'help', scroll: 0 });
  });
});

test('Ctrl-Z suspends, Ctrl-L draws everything again, whatever is open', () => {
  for (const keys of [[], ['?'], ['/'], ['r']]) {
    const { state } = pressed(twelve, ...keys);
    expect(pressed(state, 'ctrl-z').effects).toEqual([{ kind: 'suspend' }]);
    expect(pressed(state, 'ctrl-l').effects).toEqual([{ kind: 'redraw' }, { kind: 'look' }]);
  }
});

test('a message goes after a while; a failed look is shown until one succeeds', () => {
  const noted = pressed(
    twelve,
    { kind: 'note', text: 'a warning', isBad: true },
    { kind: 'failed', text: 'gone' },
  ).state;
  expect([noted.message?.text, noted.failure]).toEqual(['a warning', 'gone']);
  const later = update(noted, { kind: 'tick' }, { size, nowMs: T0 + 9_000 }).state;
  expect([later.message, later.failure]).toEqual([undefined, 'gone']);
  expect(pressed(later, { kind: 'look', look: twelve }).state.failure).toBeUndefined();
});
