import { expect, test } from 'vitest';
import type { LogAnswer, LogLine } from '../wire.ts';
import { type KnownLog, NO_LOG, withNewest, withOlder } from './known-log.ts';

const line = (atMs: number): LogLine => ({
  ...{ atMs, kind: 'result', word: 'ok', exitCode: 0, durationMs: 1, lagMs: null, text: '' },
});
const answer = (beforeMs: number | null, ...times: readonly number[]): LogAnswer => ({
  lines: times.map(line),
  beforeMs,
});
const timesOf = ({ lines }: KnownLog): readonly number[] => lines.map(({ atMs }) => atMs);
const asked = (known: KnownLog): KnownLog => ({ ...known, older: 'asked' });

const newest = withNewest(NO_LOG, answer(8, 10, 9, 8));
const both = withOlder(asked(newest), answer(6, 7, 6), 8);

test('without older lines, the newest replace all', () => {
  expect(timesOf(withNewest(newest, answer(10, 12, 11, 10)))).toEqual([12, 11, 10]);
});

test('older lines follow the newest', () => {
  expect(timesOf(both)).toEqual([10, 9, 8, 7, 6]);
  expect(both.beforeMs).toBe(6);
});

test('new lines leave no hole before the older ones, and push the oldest out', () => {
  const next = withNewest(both, answer(10, 12, 11, 10));
  expect([timesOf(next), next.beforeMs]).toEqual([[12, 11, 10, 9, 8], 8]);
});

test('lines of one time are pushed out together', () => {
  const twins = withOlder(asked(newest), answer(null, 7, 7), 8);
  const next = withNewest(twins, answer(9, 11, 10, 9));
  expect([timesOf(next), next.beforeMs]).toEqual([[11, 10, 9, 8], 8]);
});

test('while older lines are asked for, none is pushed out, so that they fit', () => {
  const next = withNewest(asked(newest), answer(10, 12, 11, 10));
  expect(timesOf(next)).toEqual([12, 11, 10, 9, 8]);
  expect(timesOf(withOlder(next, answer(null, 7), 8))).toEqual([12, 11, 10, 9, 8, 7]);
});

test('more new lines than an answer has: the older ones would leave a hole', () => {
  expect(withNewest(both, answer(20, 22, 21, 20))).toEqual({ ...answer(20, 22, 21, 20), older: 'none' });
  expect(timesOf(withNewest(withNewest(NO_LOG, answer(null)), answer(null, 3)))).toEqual([3]);
});

test('an answer is dropped if it was not asked for, or asked for another place', () => {
  expect(withOlder(newest, answer(null, 7), 8)).toBe(newest);
  expect(withOlder(both, answer(null, 7, 6), 8)).toBe(both);
  expect(withOlder({ ...newest, older: 'asked', beforeMs: 20 }, answer(null, 7), 8).lines).toBe(newest.lines);
});
