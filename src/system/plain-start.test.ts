import { expect, test } from 'vitest';
import { feltLimit, lifted } from './plain-start.ts';

const INFINITY = 2n ** 64n - 1n;
const [CPU, OPEN_FILES] = [0, 7];

test('lifts a limit completely, or up to the hard limit without the capability', () => {
  const none = { soft: INFINITY, hard: INFINITY };
  expect(lifted(CPU, { soft: 5n, hard: 60n })).toEqual([none, { soft: 60n, hard: 60n }]);
});

test('sets the limit of open files to that of a service, and keeps a higher one', () => {
  const service = { soft: 524_288n, hard: 524_288n };
  expect(lifted(OPEN_FILES, { soft: 64n, hard: 64n })[0]).toEqual(service);
  expect(lifted(OPEN_FILES, { soft: 1_024n, hard: 1_048_576n })[0]).toEqual({ soft: 1_048_576n, hard: 1_048_576n });
});

test('reports a remaining limit if it matters', () => {
  const both = (limit: bigint) => ({ soft: limit, hard: limit });
  expect(feltLimit(OPEN_FILES, both(64n))).toBe('open files (ulimit -n) 64');
  expect(feltLimit(OPEN_FILES, both(20_000n))).toBeUndefined();
  expect(feltLimit(CPU, both(5n))).toBe('seconds of CPU (ulimit -t) 5');
  expect(feltLimit(CPU, both(INFINITY))).toBeUndefined();
  expect(feltLimit(6, both(100n))).toBeUndefined(); // the limit of processes does not apply to root
});
