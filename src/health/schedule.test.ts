import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aSchedule, type GivenSchedule } from '../../test/builders/health.ts';
import { adoptedCheckAtMs, nextCheckAtMs } from './schedule.ts';

describe('the next check', () => {
  test.each<[string, GivenSchedule, number]>([
    ['the first, without a start period: one interval after the start', {}, 30_000],
    ['the first, with a start period: one start interval', { config: { startPeriodNs: 60e9 } }, 5_000],
    ['inside the period', { fromMs: 7_000, config: { startPeriodNs: 60e9 } }, 12_000],
    ['after the period', { fromMs: 61_000, config: { startPeriodNs: 60e9 } }, 91_000],
    ['exactly at its end', { fromMs: 60_000, config: { startPeriodNs: 60e9 } }, 90_000],
    ['healthy inside the period', { status: 'healthy', fromMs: 7_000, config: { startPeriodNs: 60e9 } }, 37_000],
    ['unhealthy inside the period', { status: 'unhealthy', fromMs: 7_000, config: { startPeriodNs: 60e9 } }, 37_000],
    [
      'a start interval that reaches beyond the period is cut at its end',
      { fromMs: 0, config: { startPeriodNs: 10e9, startIntervalNs: 60e9, intervalNs: 5e9 } },
      10_000,
    ],
    [
      'and not before the regular interval',
      { fromMs: 8_000, config: { startPeriodNs: 10e9, startIntervalNs: 60e9, intervalNs: 5e9 } },
      13_000,
    ],
    [
      'nor when the start interval comes first anyway',
      { fromMs: 8_000, config: { startPeriodNs: 10e9, startIntervalNs: 3e9, intervalNs: 30e9 } },
      11_000,
    ],
  ])('%s', (_what, given, dueMs) => {
    expect(nextCheckAtMs(aSchedule(given))).toBe(dueMs);
  });

  const anyFacts = fc.record({
    fromMs: fc.integer({ min: 0, max: 1e6 }),
    graceFromMs: fc.constant(0),
    status: fc.constantFrom('starting' as const, 'healthy' as const, 'unhealthy' as const),
    config: fc.record({
      intervalNs: fc.integer({ min: 1e6, max: 1e12 }),
      startPeriodNs: fc.integer({ min: 0, max: 1e12 }),
      startIntervalNs: fc.integer({ min: 1e6, max: 1e12 }),
    }),
  });

  test('lies in the future, and at most the longer of the two intervals away', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const waitMs = nextCheckAtMs(given) - given.fromMs;
        const { intervalNs, startIntervalNs } = given.config;
        expect(waitMs).toBeGreaterThan(0);
        expect(waitMs).toBeLessThanOrEqual(Math.max(intervalNs, startIntervalNs) / 1e6 + 1e-6);
      }),
    );
  });

  test('of an adopted run is never in the past, and stays on schedule if it is still ahead', () => {
    fc.assert(
      fc.property(
        anyFacts,
        fc.integer({ min: 0, max: 1e7 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (given, agoMs, share) => {
          const nowMs = given.fromMs + agoMs;
          const dueMs = adoptedCheckAtMs({ ...given, nowMs, share });
          expect(dueMs).toBeGreaterThanOrEqual(nowMs);
          if (nextCheckAtMs(given) >= nowMs) expect(dueMs).toBe(nextCheckAtMs(given));
          else expect(dueMs).toBeLessThanOrEqual(nextCheckAtMs({ ...given, fromMs: nowMs }));
        },
      ),
    );
  });
});

test('overdue containers are spread over one interval', () => {
  const given = { ...aSchedule({ config: { intervalNs: 10e9 } }), nowMs: 100_000 };
  const due = [0, 0.25, 0.5, 0.75].map((share) => adoptedCheckAtMs({ ...given, share }));
  expect(due).toEqual([100_000, 102_500, 105_000, 107_500]);
});
