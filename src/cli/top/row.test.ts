import { expect, test } from 'vitest';
import { aTask } from '../../../test/builders/container.ts';
import { aResult, aState, T0 } from '../../../test/builders/health.ts';
import { aHealth, aListed, noHealth, ownRecord } from '../../../test/builders/listed.ts';
import { aTopRow } from '../../../test/builders/top.ts';
import type { ListedContainer } from '../../container/list.ts';
import { Beats, beatOf, rowOf, Sinces } from './row.ts';

const of = (listed: ListedContainer) => rowOf(listed, { namespace: 'default', nextCheckMs: undefined });
const ended = (code: number, labels: Readonly<Record<string, string>> = {}) =>
  of(
    aListed({
      state: 'exited',
      exit: { code, atMs: T0 },
      task: aTask({ status: 'stopped', pid: 7 }),
      record: ownRecord({ labels: { 'nerdctl/name': 'web', ...labels } }),
    }),
  );

test('the word of a container', () => {
  expect(of(aListed())).toMatchObject({ word: 'healthy', sinceMs: undefined, pid: 4711, name: 'web', image: 'demo:1' });
  expect(of(aListed({}, aHealth({ state: aState({ status: 'unhealthy', failingStreak: 3 }) })))).toMatchObject({
    word: 'unhealthy',
    streak: 3,
  });
  expect(of(aListed({}, noHealth))).toMatchObject({ word: 'unchecked', sinceMs: T0, hasCheck: false, last: undefined });
  expect(of(aListed({ isStateUnknown: true })).word).toBe('unknown');
  expect(of(aListed({ state: 'paused', task: aTask({ status: 'paused' }) })).word).toBe('paused');
  expect(of(aListed({ state: 'restarting', exit: { code: 1, atMs: T0 } }))).toMatchObject({
    word: 'restarting',
    sinceMs: T0,
  });
  expect(of(aListed({ state: 'created', task: undefined }))).toMatchObject({ word: 'created', pid: undefined });
  expect(ended(7)).toMatchObject({ word: 'ended', exitCode: 7, sinceMs: T0, pid: undefined, streak: 0 });
  expect(ended(0).word).toBe('stopped');
  expect(ended(0, { 'healthctl/restart': 'always' }).word).toBe('ended');
  expect(ended(137, { 'healthctl/stopped': '2026-01-01T00:00:00Z' }).word).toBe('stopped');
});

test('the last result, and its beat', () => {
  const row = of(aListed({}, aHealth({ state: aState({ status: 'starting' }), log: [aResult(1_000, 3)] })));
  expect(row.last).toEqual({ endMs: T0 + 1_010, durationMs: 10, exitCode: 3 });
  expect(beatOf(row)).toEqual({ atMs: T0 + 1_000, isGood: false, isGrace: true });
  expect(beatOf(of(aListed({}, noHealth)))).toBeUndefined();
});

test('since when a word holds: from the history, or the change that was seen; unknown otherwise', () => {
  const sinces = new Sinces();
  const since = (over: Parameters<typeof aTopRow>[0], nowMs = T0) =>
    sinces.filled([aTopRow({ sinceMs: undefined, ...over })], nowMs)[0]?.sinceMs;
  sinces.seed('default/web', 'healthy', T0 - 5_000);
  expect(since({})).toBe(T0 - 5_000);
  const last = { endMs: T0 + 900, durationMs: 10, exitCode: 1 };
  expect(since({ word: 'unhealthy', last }, T0 + 2_000)).toBe(T0 + 900);
  expect(since({ word: 'unhealthy', last: { ...last, endMs: T0 + 1_900 } }, T0 + 4_000)).toBe(T0 + 900);
  expect(since({ word: 'paused' }, T0 + 6_000)).toBe(T0 + 6_000);
  // A container that was gone, and is there again, is another one.
  expect(sinces.filled([], T0)).toEqual([]);
  expect(since({ word: 'healthy' })).toBeUndefined();
  // The history knows an older word.
  sinces.seed('default/other', 'healthy', T0);
  expect(since({ name: 'other', word: 'unhealthy', last }, T0 + 2_000)).toBe(T0 + 900);
});

test('beats are in order, each once, and bounded', () => {
  const beats = new Beats();
  for (const atMs of [3, 1, 2, 2, 3]) beats.add('a', { atMs, isGood: true, isGrace: false });
  expect(beats.all.get('a')?.map(({ atMs }) => atMs)).toEqual([1, 2, 3]);
  for (let atMs = 10; atMs < 200; atMs += 1) beats.add('a', { atMs, isGood: true, isGrace: false });
  expect([beats.all.get('a')?.length, beats.all.get('a')?.at(-1)?.atMs]).toEqual([64, 199]);
  beats.keep(new Set(['b']));
  expect(beats.all.size).toBe(0);
});
