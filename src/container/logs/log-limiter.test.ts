import { expect, test } from 'vitest';
import { nextLookMs } from './log-limiter.ts';

test.each([
  ['nothing comes', 15_000_000, 0, 100],
  ['little comes', 15_000_000, 10, 100],
  ['the limit is reached in 30 ms', 15_000_000, 500_000, 15],
  ['it is reached at once', 15_000_000, 100_000_000, 5],
  ['it is reached already, and nothing comes', -5, 0, 100],
  ['it is less than a few blocks', 0, 2_000, (64 * 1024) / 4_000],
])('%s', (_what, headroom, bytesPerMs, ms) => {
  expect(nextLookMs(headroom, bytesPerMs)).toBe(ms);
});
