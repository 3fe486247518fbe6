import { expect, test } from 'vitest';
import { aConfig } from '../../test/builders/health.ts';
import { isOverdue } from './overdue.ts';

const S = 1e9;
const age = (seconds: number) => ({ fromMs: 1_000_000, nowMs: 1_000_000 + seconds * 1_000 });

test.each([
  ['an interval, a timeout and the limit of a start are no reason', {}, 45, false],
  ['more than that is', {}, 45.1, true],
  ['a start interval counts where there is a start period', { startPeriodNs: S, startIntervalNs: 60 * S }, 95, false],
  ['and is of no account without one', { startIntervalNs: 60 * S }, 95, true],
  ['a time in the future counts as now', {}, -3600, false],
])('%s', (_, over, seconds, expected) => {
  const config = aConfig({ intervalNs: 10 * S, timeoutNs: 5 * S, startPeriodNs: 0, startIntervalNs: 5 * S, ...over });
  expect(isOverdue(config, age(seconds))).toBe(expected);
});
