import { expect, test } from 'vitest';
import { bucketOf } from './histogram.ts';

test('a bound belongs to its bucket, as in Prometheus', () => {
  expect([0, 1, 1.5, 2, 3].map((value) => bucketOf([1, 2], value))).toEqual([0, 0, 1, 1, 2]);
});
