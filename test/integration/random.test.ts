import { expect, test } from 'vitest';
import { randomBelow, randomHex } from '../../src/lib/random.ts';

test.each([1, 8, 32, 256])('gives %d bytes, different each time', (bytes) => {
  expect(randomHex(bytes)).toMatch(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
  if (bytes > 1) expect(randomHex(bytes)).not.toBe(randomHex(bytes));
});

test('gives every number below the limit, and no other', () => {
  const seen = new Set(Array.from({ length: 400 }, () => randomBelow(5)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
});
