import { expect, test } from 'vitest';
import { createForeignStopNotes } from './foreign-stop-notes.ts';

const MINUTE_MS = 60_000;
const labels = {
  'healthctl/owner': '0.1.0',
  'healthctl/restart': 'always',
  'containerd.io/restart.explicitly-stopped': 'true',
};

function open() {
  const state = { nowMs: 0, run: 'run-1' as string | undefined };
  const cleared: string[] = [];
  const onListed = createForeignStopNotes({
    clock: { monotonic: () => state.nowMs },
    log: { warn: () => undefined, debug: () => undefined },
    runOf: () => state.run,
    clear: async ({ namespace, id }) => {
      cleared.push(`${namespace}/${id}`);
    },
  });
  const listAt = (minute: number, over: Readonly<Record<string, string>> = {}) => {
    state.nowMs = minute * MINUTE_MS;
    onListed('default', [{ id: 'c1', labels: { ...labels, ...over } }]);
    return cleared.length;
  };
  return { state, listAt, onListed };
}

test("removes another tool's stop note if the container still runs long after it", () => {
  const { listAt } = open();
  expect([listAt(0), listAt(1), listAt(8), listAt(10), listAt(11)]).toEqual([0, 0, 0, 1, 1]);
});

test('keeps the note while the stop may be in progress, and for another run', () => {
  const { state, listAt } = open();
  listAt(0);
  state.run = 'run-2';
  expect([listAt(10), listAt(12)]).toEqual([0, 0]);
  state.run = undefined;
  expect([listAt(20), listAt(30)]).toEqual([0, 0]);
});

test.each([
  ['healthctl itself recorded the stop', { 'healthctl/stopped': '2026-01-01T00:00:00Z' }],
  ['there is no restart policy', { 'healthctl/restart': '' }],
  ['no stop is recorded', { 'containerd.io/restart.explicitly-stopped': 'false' }],
])('removes no note if %s', (_, over) => {
  const { listAt } = open();
  expect([listAt(0, over), listAt(10, over)]).toEqual([0, 0]);
});

test('a note that was written again counts as new', () => {
  const { listAt, onListed } = open();
  listAt(0);
  onListed('default', []);
  expect([listAt(10), listAt(12), listAt(20)]).toEqual([0, 0, 1]);
});
