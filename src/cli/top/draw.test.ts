import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aTopRow, beatsOf, T0, topState } from '../../../test/builders/top.ts';
import { displayWidth } from '../format/columns.ts';
import { ASCII, UNICODE } from './columns.ts';
import { draw } from './draw.ts';
import { COLOURED, PLAIN } from './line.ts';
import { type Mode, type ScreenState, SORTS } from './state.ts';
import { clockText } from './texts.ts';

const plain = { palette: PLAIN, marks: UNICODE };
const screen = (state: ScreenState, columns: number, rows: number, marks = UNICODE): readonly string[] =>
  draw(state, { columns, rows }, { palette: PLAIN, marks }).map((line) =>
    line.replace(clockText(T0), 'HH:MM:SS').trimEnd(),
  );

const shop = topState(
  [
    aTopRow({ name: 'web', sinceMs: T0 - 4 * 3_600_000 }),
    aTopRow({ name: 'db', word: 'unhealthy', streak: 3, sinceMs: T0 - 130_000, nextCheckMs: T0 + 500 }),
    aTopRow({
      name: 'batch',
      word: 'ended',
      state: 'exited',
      exitCode: 137,
      nextCheckMs: undefined,
      nextRestartMs: T0 + 9_000,
    }),
    aTopRow({ name: 'plain', word: 'unchecked', hasCheck: false, nextCheckMs: undefined, last: undefined }),
    aTopRow({ name: 'old', word: 'healthy', sinceMs: undefined, last: { endMs: T0, durationMs: 1_204, exitCode: 0 } }),
  ],
  {
    beats: new Map([
      ['default/web', beatsOf('ss........')],
      ['default/db', beatsOf('.....xxx')],
    ]),
    selected: 'default/db',
    usage: new Map([
      ['default/web', { cpu: 0.034, memoryBytes: 12.5 * 2 ** 20 }],
      ['default/plain', { cpu: undefined, memoryBytes: 340 * 2 ** 10 }],
    ]),
  },
);

test('the list', () => {
  expect(screen({ ...shop, selected: 'default/web' }, 90, 10)).toEqual([
    'healthctl top  HH:MM:SS  default                                                 monitor 1',
    '5 containers:  1 unhealthy  1 ended  2 healthy  1 unchecked',
    ' NAME         STATUS▼      SINCE  STREAK  NEXT  TOOK   CPU  MEMORY                 RESULTS',
    ' db           unhealthy       2m       3   now  43ms                              ▂▂▂▂▂███',
    ' batch        ended (137)    60s       0    9s  43ms',
    ' old          healthy                  0    5s 1.20s',
    '>web          healthy         4h       0    5s  43ms  3.4%   12.5M              ██▂▂▂▂▂▂▂▂',
    ' plain        unchecked      60s                              340K',
    '',
    'q quit  ? help  / search  f filter  s sort  enter details  c check  r restart',
  ]);
});

test('a narrow screen has the columns that matter most, a tiny one the rows', () => {
  expect(screen(shop, 50, 7)).toEqual([
    'healthctl top  HH:MM:SS  default         monitor 1',
    '5 containers:  1 unhealthy  1 ended  2 healthy  1~',
    ' NAME         STATUS▼      SINCE  STREAK   RESULTS',
    '>db           unhealthy       2m       3  ▂▂▂▂▂███',
    ' batch        ended (137)    60s       0',
    ' old          healthy                  0',
    'q quit  ? help  / search  f filter  s sort  enter~',
  ]);
  expect(screen(shop, 20, 3)).toEqual([' NAME', '>db', 'q quit  ? help  / s~']);
  expect(screen(shop, 1, 1)).toHaveLength(1);
});

test.each(SORTS)('sorted by %s, the title of that column is whole', (sort) => {
  const [, , titles = ''] = screen({ ...shop, sort }, 80, 10);
  expect(titles).toMatch(new RegExp(` (▼${sort.toUpperCase()}|${sort.toUpperCase()}▼) `));
});

test('without UTF-8, marks are ASCII', () => {
  const lines = screen(shop, 80, 10, ASCII);
  expect(lines[2]).toContain('STATUSv');
  expect(lines[3]).toMatch(/ \.\.\.\.\.###$/);
  expect(lines.join('')).toMatch(/^[ -~]*$/);
});

test('colours show what is bad, and the selected row is reverse', () => {
  const lines = draw(shop, { columns: 90, rows: 10 }, { palette: COLOURED, marks: UNICODE });
  expect([lines[3]?.startsWith('\x1b[7m>db '), lines[3]?.split('\x1b')]).toEqual([
    true,
    ['', expect.any(String), '[0m'],
  ]);
  expect(lines[4]).toContain('\x1b[31mended (137)\x1b[0m');
  expect(lines[6]).toContain(`\x1b[33m██\x1b[0m\x1b[32m${'▂'.repeat(8)}\x1b[0m`);
});

test('a filter, a search, a message, a failure, a question', () => {
  const searched: ScreenState = { ...shop, search: 'w', show: 'checked', mode: { kind: 'search', before: '' } };
  expect([screen(searched, 80, 6)[1], screen(searched, 80, 6).at(-1)]).toEqual([
    '5 containers, shown 1: checked, /w  1 unhealthy  1 ended  2 healthy  1 unchecked',
    '/w',
  ]);
  expect(screen({ ...shop, search: 'nothing' }, 60, 6)[3]).toBe(' nothing is like that: esc shows all containers');
  expect(screen(topState([]), 60, 6)[3]).toBe(' there are no containers in the namespace default');
  const told: ScreenState = {
    ...shop,
    message: { text: 'web was restarted', isBad: false, atMs: T0 },
    failure: 'cannot connect to containerd',
  };
  expect([screen(told, 100, 6)[0]?.slice(-28), screen(told, 100, 6).at(-1)]).toEqual([
    'cannot connect to containerd',
    'web was restarted',
  ]);
  expect(screen(told, 40, 6)[0]).toBe('cannot connect to containerd');
  const [row = aTopRow()] = shop.rows;
  const asked: ScreenState = { ...shop, question: { kind: 'act', action: 'restart', row } };
  expect(screen(asked, 80, 6).at(-1)).toBe('Restart web? It is stopped, and started again. [y/N]');
  expect(screen({ ...shop, question: { kind: 'quit' }, running: ['restart web'] }, 80, 6).at(-1)).toBe(
    'Not finished: restart web. Break off and quit? [y/N]',
  );
});

test('the namespace is a column when there are several', () => {
  const lines = screen({ ...shop, namespace: undefined }, 100, 6);
  expect(lines[0]).toContain('all namespaces');
  expect(lines[2]).toMatch(/^ NAMESPACE NAME /);
  expect(lines[3]).toMatch(/^>default {3}db /);
});

test('the page of a container: what explain says, then its results with their output', () => {
  const details = {
    key: 'default/db',
    about: 'Container:\n Name:              db\n\nLikely reasons:\n * it refuses\n',
    results: [
      { atMs: T0, durationMs: 150, exitCode: 3, output: 'refused\nby the server\n' },
      { atMs: T0, durationMs: 7, exitCode: 0, output: Array.from({ length: 8 }, (_, at) => `line ${at}`).join('\n') },
    ],
  };
  const mode: Mode = { kind: 'details', key: 'default/db', scroll: 0 };
  expect(screen({ ...shop, mode, details }, 60, 21)).toEqual([
    'healthctl top  HH:MM:SS  default                   monitor 1',
    '5 containers:  1 unhealthy  1 ended  2 healthy  1 unchecked',
    ' db: unhealthy, for 2m',
    'Container:',
    ' Name:              db',
    '',
    'Likely reasons:',
    ' * it refuses',
    '',
    'Results, the newest first:',
    ' HH:MM:SS  failed (3)   150ms refused',
    '                              by the server',
    ' HH:MM:SS  ok             7ms line 0',
    '                              line 1',
    '                              line 2',
    '                              line 3',
    '                              line 4',
    '                              … 3 more',
    '',
    '',
    'q back  ? help  j k scroll  c check  r restart',
  ]);
  expect(screen({ ...shop, mode, details }, 60, 10)[2]).toBe(' db: unhealthy, for 2m  1-6 of 15');
  expect(screen({ ...shop, mode: { ...mode, key: 'default/gone' }, details }, 60, 10)[2]).toBe(
    ' The container is gone  1-6 of 15',
  );
  expect(screen({ ...shop, mode, details: undefined }, 60, 10)[3]).toBe('loading …');
});

const hostile = fc.string({
  unit: fc.constantFrom('a', '\x1b', '[2J', '\n', '\t', '語', '😀', '\u202e', '\x9b', 'e\u0301'),
});

test('whatever names and outputs are, each line fits, and nothing but our own styles reaches the terminal', () => {
  const state = fc.record({
    ...{ name: hostile, image: hostile, output: hostile, search: hostile, message: hostile },
    ...{
      columns: fc.integer({ min: 1, max: 130 }),
      rows: fc.integer({ min: 1, max: 30 }),
      sort: fc.constantFrom(...SORTS),
    },
    mode: fc.constantFrom<Mode>(
      { kind: 'list' },
      { kind: 'search', before: '' },
      { kind: 'help', scroll: 3 },
      { kind: 'details', key: 'k', scroll: 1 },
    ),
  });
  fc.assert(
    fc.property(state, ({ name, image, output, search, message, columns, rows, sort, mode }) => {
      const row = aTopRow({ key: 'k', name, image, namespace: name });
      const details = { key: 'k', about: output, results: [{ atMs: T0, durationMs: 1, exitCode: 1, output }] };
      const over = {
        sort,
        mode,
        details,
        search,
        message: { text: message, isBad: true, atMs: T0 },
        namespace: undefined,
      };
      const lines = draw(topState([row], over), { columns, rows }, plain);
      expect(lines).toHaveLength(rows);
      for (const line of lines) {
        expect(displayWidth(line)).toBeLessThanOrEqual(columns);
        expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
      }
    }),
  );
});
