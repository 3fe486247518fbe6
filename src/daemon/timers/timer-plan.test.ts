import { expect, test } from 'vitest';
import { aConfig } from '../../../test/builders/health.ts';
import type { ScheduleFacts } from '../../health/schedule.ts';
import { leadMsOf, planTimer, type TimerPlan } from './timer-plan.ts';

type Given = Partial<Omit<ScheduleFacts, 'config'>> & { readonly config?: Partial<ScheduleFacts['config']> };
const facts = (over: Given = {}): ScheduleFacts => ({
  fromMs: 0,
  graceFromMs: 0,
  status: 'starting',
  ...over,
  config: aConfig({ intervalNs: 30e9, startPeriodNs: 60e9, startIntervalNs: 5e9, ...over.config }),
});

test.each<[string, Given, TimerPlan]>([
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
])('%s', (_case, given, plan) => {
  expect(planTimer(facts(given))).toEqual(plan);
});

test('starts the process early, but not before half of the wait', () => {
  expect([30_000, 1_000, 400, 1].map(leadMsOf)).toEqual([500, 500, 200, 0.5]);
});
