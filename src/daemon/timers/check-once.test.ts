import { expect, test } from 'vitest';
import { aConfig } from '../../../test/builders/health.ts';
import { delayMsOf } from './check-once.ts';

const facts = {
  fromMs: 100_000,
  graceFromMs: 50_000,
  status: 'healthy' as const,
  config: aConfig({ intervalNs: 10e9 }),
};

test.each([
  ['a moment early', 109_800, 0, 200],
  ['late', 111_000, 0, 0],
  ['an earlier check by hand moved it', 103_000, 0, 7_000],
  ['resumed: not before one interval after that', 120_000, 120_250, 250],
  ['the clock was set back', 20_000, 0, 0],
  ['the clock was set back since the timer was made', 110_000, 500_000, 0],
])('decides how long a timer’s check waits: %s', (_case, nowMs, notBeforeMs, delayMs) => {
  expect(delayMsOf(facts, { nowMs, notBeforeMs })).toBe(delayMs);
});
