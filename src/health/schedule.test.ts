import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aSchedule, type GivenSchedule } from '../../test/builders/health.ts';
import { adoptedCheckAtMs, nextCheckAtMs } from './schedule.ts';

describe('the time of the next check', () => {
  test.each<[string, GivenSchedule, number]>([
    ['the first, without a start period: one interval after the start', {}, 30_000],
    ['the first, with a start period: one start interval', { config: { startPeriodNs: 60e9 } }, 5_000],
    ['inside the start period', { fromMs: 7_000, config: { startPeriodNs: 60e9 } }, 12_000],
    ['after the start period', { fromMs: 61_000, config: { startPeriodNs: 60e9 } }, 91_000],
    ['exactly at the end of the start period', { fromMs: 60_000, config: { startPeriodNs: 60e9 } }, 90_000],
    ['healthy inside the start period', { status: 'healthy', fromMs: 7_000, config: { startPeriodNs: 60e9 } }, 37_000],
    [
      'unhealthy inside the start period',
      { status: 'unhealthy', fromMs: 7_000, config: { startPeriodNs: 60e9 } },
      37_000,
    ],
    [
      'a start interval that ends after the start period is cut at its end',
      { fromMs: 0, config: { startPeriodNs: 10e9, startIntervalNs: 60e9, intervalNs: 5e9 } },
      10_000,
    ],
    [
      'the cut does not come before the regular interval',
      { fromMs: 8_000, config: { startPeriodNs: 10e9, startIntervalNs: 60e9, intervalNs: 5e9 } },
      13_000,
    ],
    [
      'the cut does not apply if the start interval ends first',
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

  test('is in the future, and at most the longer of the two intervals away', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const waitMs = nextCheckAtMs(given) - given.fromMs;
        const { intervalNs, startIntervalNs } = given.config;
        expect(waitMs).toBeGreaterThan(0);
        expect(waitMs).toBeLessThanOrEqual(Math.max(intervalNs, startIntervalNs) / 1e6 + 1e-6);
      }),
    );
  });

  test('in an adopted run is never in the past, and keeps a schedule that is still ahead', () => {
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

test('is spread over one interval for containers that are overdue', () => {
  const given = { ...aSchedule({ config: { intervalNs: 10e9 } }), nowMs: 100_000 };
  const due = [0, 0.25, 0.5, 0.75].map((share) => adoptedCheckAtMs({ ...given, share }));
  expect(due).toEqual([100_000, 102_500, 105_000, 107_500]);
});
