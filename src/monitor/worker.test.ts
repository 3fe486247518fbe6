import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aConfig, aResult, aState } from '../../test/builders/health.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { CheckReport } from '../check/check.ts';
import { rfc3339FromMillis } from '../health/result.ts';
import { HealthctlError } from '../lib/errors.ts';
import { createAgenda } from './agenda.ts';
import { createLimiter } from './limiter.ts';
import { startWorker, type WorkerBeginning } from './worker.ts';

interface Setting {
  readonly config?: Parameters<typeof aConfig>[0];
  readonly beginning?: Partial<WorkerBeginning>;
  /** How long each check takes, in milliseconds. */
  readonly tookMs?: number;
  /** Exit codes, one per check; the last one repeats. `throw`: healthctl itself fails. */
  readonly codes?: readonly (number | 'throw')[];
  readonly places?: number;
}

function setUp({ config, beginning, tookMs = 10, codes = [0], places = 4 }: Setting = {}) {
  const clock = createFakeClock();
  const agenda = createAgenda(clock);
  const limiter = createLimiter(places);
  const limiterOf = () => limiter;
  const started: number[] = [];
  const reports: CheckReport[] = [];
  const failures: unknown[] = [];
  const lags: number[] = [];
  let inside = 0;
  let ended = 0;
  const check = async (signal: AbortSignal): Promise<CheckReport> => {
    inside += 1;
    expect(inside).toBe(1);
    const code = codes[Math.min(started.length, codes.length - 1)] ?? 0;
    started.push(clock.monotonic());
    const start = rfc3339FromMillis(clock.now());
    await clock.sleep(tookMs, signal);
    // A killed exec needs a moment to end.
    if (signal.aborted) await clock.sleep(1);
    inside -= 1;
    ended += 1;
    if (signal.aborted) return { kind: 'dropped', reason: 'cancelled' };
    if (code === 'throw') throw new HealthctlError('UNAVAILABLE', 'containerd is gone');
    const end = rfc3339FromMillis(clock.now());
    return {
      kind: 'recorded',
      result: { ...aResult(0, code), start, end },
      state: aState({ status: code === 0 ? 'healthy' : 'starting' }),
      statusChanged: false,
    };
  };
  const worker = startWorker(
    {
      ...{ clock, agenda, limiterOf, check },
      onReport: (report, lagMs) => {
        reports.push(report);
        if (lagMs !== undefined) lags.push(lagMs);
      },
      onFailure: (error) => failures.push(error),
    },
    {
      config: aConfig({ intervalNs: 2e9, ...config }),
      testedForMs: 0,
      status: 'starting',
      sinceLastEndMs: undefined,
      share: 0.5,
      isPaused: false,
      ...beginning,
    },
  );
  return { clock, agenda, limiter, worker, started, reports, failures, lags, ended: () => ended };
}

describe('a worker', () => {
  test('checks one interval after the start, and one interval after the end of each check', async () => {
    const { clock, worker, started, lags, reports } = setUp({ tookMs: 300 });
    await clock.advance(7_000);
    expect(started).toEqual([2_000, 4_300, 6_600]);
    expect(lags).toEqual([0, 0, 0]);
    expect(reports).toHaveLength(3);
    await Promise.all([worker.stop(), clock.advance(10)]);
    expect(clock.sleepers).toBe(0);
  });

  test('uses the start interval until the first success', async () => {
    const { clock, started } = setUp({
      config: { startPeriodNs: 60e9, startIntervalNs: 500e6 },
      codes: [1, 1, 0],
      tookMs: 0,
    });
    await clock.advance(8_000);
    expect(started).toEqual([500, 1_000, 1_500, 3_500, 5_500, 7_500]);
  });

  test('keeps the schedule for a day', async () => {
    const { clock, started } = setUp({ config: { intervalNs: 60e9 }, tookMs: 0 });
    await clock.advance(24 * 3_600_000);
    expect(started).toHaveLength(24 * 60);
    expect(started.at(-1)).toBe(24 * 3_600_000);
  });

  test('keeps the schedule of the last check in an adopted run', async () => {
    const { started } = setUp();
    const late = setUp({
      beginning: { testedForMs: 60_000, sinceLastEndMs: 500, status: 'healthy' },
    });
    await late.clock.advance(1_500);
    expect(late.started).toEqual([1_500]);
    expect(started).toEqual([]);
  });

  test('makes an overdue check of an adopted run at some time within the interval', async () => {
    const { clock, started } = setUp({
      beginning: { testedForMs: 86_400_000, status: 'healthy', share: 0.25 },
    });
    await clock.advance(600);
    expect(started).toEqual([500]);
  });

  test('a pause ends the check in flight and drops its result; the next check is a full interval later', async () => {
    const { clock, worker, started, reports } = setUp({ tookMs: 500 });
    await clock.advance(2_100);
    expect(worker.isBusy).toBe(true);
    worker.pause();
    await clock.advance(30_000);
    expect([started, reports]).toEqual([[2_000], []]);
    worker.resume();
    worker.resume();
    await clock.advance(1_999);
    expect(started).toEqual([2_000]);
    await clock.advance(1);
    expect(started).toEqual([2_000, 34_100]);
  });

  test('a pause with an immediate resume does not make two checks overlap', async () => {
    const { clock, worker, started } = setUp({ config: { intervalNs: 1e6 }, tookMs: 500 });
    await clock.advance(10);
    worker.pause();
    worker.resume();
    await clock.advance(100);
    expect(started.length).toBe(2);
  });

  test('reports a failure of ours, and keeps the schedule', async () => {
    const { clock, started, failures, reports } = setUp({ codes: ['throw', 0], tookMs: 0 });
    await clock.advance(4_000);
    expect(started).toEqual([2_000, 4_000]);
    expect(failures).toMatchObject([{ code: 'UNAVAILABLE' }]);
    expect(reports).toHaveLength(1);
  });

  test('keeps the schedule when the wall clock jumps', async () => {
    const { clock, started } = setUp({ tookMs: 0 });
    const real = clock.now;
    await clock.advance(100);
    Object.assign(clock, { now: () => real() + 3_600_000 });
    await clock.advance(4_000);
    Object.assign(clock, { now: () => real() - 3_600_000 });
    await clock.advance(4_000);
    expect(started).toEqual([2_000, 4_000, 6_000, 8_000]);
  });

  test('a new test begins anew, with a new start period', async () => {
    const { clock, worker, started } = setUp({ tookMs: 0 });
    await clock.advance(2_500);
    worker.reconfigure(aConfig({ intervalNs: 10e9, startPeriodNs: 5e9, startIntervalNs: 1e9 }), true);
    await clock.advance(2_000);
    expect(started).toEqual([2_000, 3_500]); // after the success the interval applies
    expect(worker.nextAtMs).toBe(13_500);
  });

  test('waits for its slot; a stop removes it from the queue', async () => {
    const { clock, worker, limiter, started } = setUp({ places: 1 });
    const place = await limiter.acquire(new AbortController().signal);
    await clock.advance(3_000);
    expect([worker.isBusy, limiter.waiting, started]).toEqual([true, 1, []]);
    await worker.stop();
    expect(limiter.waiting).toBe(0);
    place?.();
    await clock.advance(10_000);
    expect([started, clock.sleepers]).toEqual([[], 0]);
  });

  test('with random pauses, resumes, new configs and a stop, never checks twice at once, nor after the stop', async () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 3_000 }),
      do: fc.constantFrom('pause', 'resume', 'reconfigure', 'start over'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.integer({ min: 0, max: 900 }), async (steps, tookMs) => {
        const { clock, agenda, limiter, worker, started, ended } = setUp({ tookMs, codes: [0, 1, 'throw', 0] });
        let isPaused = false;
        for (const one of steps) {
          await clock.advance(one.waitMs);
          if (one.do === 'pause') worker.pause();
          else if (one.do === 'resume') worker.resume();
          else worker.reconfigure(aConfig({ intervalNs: 1e9 }), one.do === 'start over');
          isPaused = one.do === 'pause' || (isPaused && one.do !== 'resume');
        }
        const before = started.length;
        await clock.advance(10_000);
        if (isPaused) expect(started.length - before).toBe(0);
        else expect(started.length).toBeGreaterThan(before);
        await Promise.all([worker.stop(), clock.advance(10)]);
        const after = started.length;
        worker.resume();
        await clock.advance(10_000);
        expect([started.length, ended(), agenda.size, limiter.inUse, clock.sleepers]).toEqual([after, after, 0, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });
});
