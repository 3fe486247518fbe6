import { expect, test } from 'vitest';
import { randomBelow, randomHex } from '../../src/lib/random.ts';

test.each([1, 8, 32, 256])('%d bytes, never the same again', (bytes) => {
  expect(randomHex(bytes)).toMatch(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
  if (bytes > 1) expect(randomHex(bytes)).not.toBe(randomHex(bytes));
});

test('every number below the limit comes, and none besides', () => {
  const seen = new Set(Array.from({ length: 400 }, () => randomBelow(5)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
});
