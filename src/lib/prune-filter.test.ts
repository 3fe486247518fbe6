import { expect, test } from 'vitest';
import { hasLabel } from './label-filter.ts';
import { matchesPrune, parsePruneFilter } from './prune-filter.ts';

const parse = (...texts: string[]) => parsePruneFilter(texts, (text) => Number(text));

test('matches by creation time, present labels and absent labels', () => {
  const filter = parse('until=1000', 'label=tier=front', 'label!=keep');
  const labels = { tier: 'front' };
  expect(matchesPrune(filter, { createdMs: 999, labels })).toBe(true);
  expect(matchesPrune(filter, { createdMs: 1001, labels })).toBe(false);
  expect(matchesPrune(filter, { createdMs: undefined, labels })).toBe(false);
  expect(matchesPrune(filter, { createdMs: 999, labels: { tier: 'back' } })).toBe(false);
  expect(matchesPrune(filter, { createdMs: 999, labels: { ...labels, keep: '' } })).toBe(false);
  expect(matchesPrune(parse(), { createdMs: undefined, labels: {} })).toBe(true);
});

test('a bare key matches if the label exists; properties of every object are no labels', () => {
  expect(hasLabel({ a: '1' }, 'a')).toBe(true);
  expect(hasLabel({ a: '1=2' }, 'a=1=2')).toBe(true);
  expect(hasLabel({}, 'toString')).toBe(false);
});

test("refuses an invalid filter with Docker's text", () => {
  expect(() => parse('dangling=true')).toThrow("invalid filter 'dangling'");
  expect(() => parse('until')).toThrow("invalid filter ''");
  expect(() => parse('until=1', 'until=2')).toThrow('more than one until filter specified');
});
