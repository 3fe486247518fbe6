import { expect, test } from 'vitest';
import { createRateLimits } from './rate-limit.ts';

function admitted(limit: { admit(): boolean }, tries: number): number {
  return Array.from({ length: tries }, () => limit.admit()).filter(Boolean).length;
}

test('a container has its share at once, and then by and by', () => {
  let nowMs = 0;
  const limit = createRateLimits({ each: 100, all: 1_000 }, { monotonic: () => nowMs })();
  expect(admitted(limit, 500)).toBe(100);
  nowMs = 250;
  expect(admitted(limit, 500)).toBe(25);
  nowMs = 60_000;
  expect(admitted(limit, 500)).toBe(100);
});

test('when the share of all is used up, a container that asks little is still answered', () => {
  const limitOf = createRateLimits({ each: 100, all: 150 }, { monotonic: () => 0 });
  const [a, b, quiet] = [limitOf(), limitOf(), limitOf()];
  expect(admitted(a, 500)).toBe(100);
  expect(admitted(b, 500)).toBe(50);
  expect(admitted(quiet, 10)).toBe(10);
});
