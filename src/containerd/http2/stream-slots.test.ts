import { expect, test } from 'vitest';
import { createStreamSlots } from './stream-slots.ts';

function setUp(limit?: number) {
  const begun: string[] = [];
  const slots = createStreamSlots<string>((stream) => begun.push(stream));
  if (limit !== undefined) slots.setLimit(limit);
  return { begun, slots, enter: (...streams: readonly string[]) => streams.map((stream) => slots.enter(stream)) };
}

test('streams beyond the limit wait, and begin in order when others end', () => {
  const { begun, slots, enter } = setUp(2);
  enter('a', 'b', 'c', 'd');
  expect([begun, slots.waiting]).toEqual([['a', 'b'], 2]);
  slots.leave('b');
  expect(begun).toEqual(['a', 'b', 'c']);
  slots.leave('d'); // it never had a slot
  slots.leave('a');
  slots.leave('c');
  expect([begun, slots.waiting]).toEqual([['a', 'b', 'c'], 0]);
  enter('e', 'f', 'g');
  expect(begun).toEqual(['a', 'b', 'c', 'e', 'f']);
});

test('a higher limit begins waiting streams; a lower one ends none', () => {
  const { begun, slots, enter } = setUp(0);
  enter('a', 'b');
  expect(begun).toEqual([]);
  slots.setLimit(2);
  expect(begun).toEqual(['a', 'b']);
  slots.setLimit(1);
  enter('c');
  slots.leave('a');
  expect(begun).toEqual(['a', 'b']);
  slots.leave('b');
  expect(begun).toEqual(['a', 'b', 'c']);
});

test('the limit is 100 before the first SETTINGS, and none after SETTINGS without a limit', () => {
  const { begun, slots, enter } = setUp();
  enter(...Array.from({ length: 150 }, (_, i) => `${i}`));
  expect(begun).toHaveLength(100);
  slots.setLimit(undefined);
  expect(begun).toHaveLength(150);
});

test('SETTINGS without the value keep the limit', () => {
  const { begun, slots, enter } = setUp(1);
  slots.setLimit(undefined);
  enter('a', 'b');
  expect(begun).toEqual(['a']);
});

test('streams that are given up while they wait take no slot', () => {
  const { begun, slots, enter } = setUp(1);
  enter('a', 'b', 'c');
  for (const stream of slots.drain()) slots.leave(stream);
  enter('d');
  expect(begun).toEqual(['a']);
  slots.leave('a');
  expect(begun).toEqual(['a', 'd']);
});
