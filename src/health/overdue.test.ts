import { expect, test } from 'vitest';
import { aConfig } from '../../test/builders/health.ts';
import { isOverdue } from './overdue.ts';

const S = 1e9;
const age = (seconds: number) => ({ fromMs: 1_000_000, nowMs: 1_000_000 + seconds * 1_000 });

test.each([
  ['interval, timeout and the limit of a start are not overdue', {}, 45, false],
  ['anything longer is overdue', {}, 45.1, true],
  ['a start interval counts if there is a start period', { startPeriodNs: S, startIntervalNs: 60 * S }, 95, false],
  ['a start interval does not count without a start period', { startIntervalNs: 60 * S }, 95, true],
  ['a time in the future counts as now', {}, -3600, false],
])('overdue or not: %s', (_, over, seconds, expected) => {
  const config = aConfig({ intervalNs: 10 * S, timeoutNs: 5 * S, startPeriodNs: 0, startIntervalNs: 5 * S, ...over });
  expect(isOverdue(config, age(seconds))).toBe(expected);
});
