import { expect, test } from 'vitest';
import { aSchedule, type GivenSchedule } from '../../../test/builders/health.ts';
import { leadMsOf, planTimer, type TimerPlan } from './timer-plan.ts';

/** Facts with a start period of a minute. */
const facts = ({ config, ...over }: GivenSchedule) =>
  aSchedule({ ...over, config: { startPeriodNs: 60e9, ...config } });

test.each<[string, GivenSchedule, TimerPlan]>([
  ['the first check', {}, { phase: 'starting', dueMs: 5_000, waitMs: 5_000 }],
  ['without a start period', { config: { startPeriodNs: 0 } }, { phase: 'regular', dueMs: 30_000, waitMs: 30_000 }],
  ['healthy', { fromMs: 10_000, status: 'healthy' }, { phase: 'regular', dueMs: 40_000, waitMs: 30_000 }],
  ['after the period', { fromMs: 60_001 }, { phase: 'regular', dueMs: 90_001, waitMs: 30_000 }],
  ['the last one of the period', { fromMs: 59_000 }, { phase: 'starting', dueMs: 64_000, waitMs: 5_000 }],
  [
    'a wait that the end of the period cuts short',
    { fromMs: 50_000, config: { intervalNs: 1e9, startIntervalNs: 20e9 } },
    { phase: 'regular', dueMs: 60_000, waitMs: 1_000 },
  ],
])('the timers for %s', (_case, given, plan) => {
  expect(planTimer(facts(given))).toEqual(plan);
});

test('starts the process early, but not before half of the wait', () => {
  expect([30_000, 1_000, 400, 1].map(leadMsOf)).toEqual([500, 500, 200, 0.5]);
});
