import { expect, test } from 'vitest';
import { nextMeasureMs } from './log-limiter.ts';

test.each([
  ['no output', 15_000_000, 0, 100],
  ['little output', 15_000_000, 10, 100],
  ['the limit is 30 ms away', 15_000_000, 500_000, 15],
  ['the limit is next to nothing away', 15_000_000, 100_000_000, 5],
  ['the limit is exceeded, and no output comes', -5, 0, 100],
  ['the limit is less than a few blocks away', 0, 2_000, (64 * 1024) / 4_000],
])('waits for the next check as long as the rate allows: %s', (_what, headroom, bytesPerMs, ms) => {
  expect(nextMeasureMs(headroom, bytesPerMs)).toBe(ms);
});
