import type { Clock } from '../../src/lib/clock.ts';
import { forgottenSleeps } from './forgotten-sleeps.ts';

/**
 * A clock that stands still until the test advances it. Sleepers wake in the order of their due times. A test that
 * sleeps and never advances the clock afterwards fails: see forgotten-sleeps.ts.
 */
export interface FakeClock extends Clock {
  /**
   * Advances the time. Wakes the due sleepers one after the other, and lets the work that each of them starts run
   * before the next.
   */
  advance(ms: number): Promise<void>;
  /** The number of present sleepers. If a test ends with one, something still waits. */
  readonly sleepers: number;
}

/** The boot of the machine: 50 s before the runs of tests start (aRun in test/builders/health.ts). */
const BOOT_MS = Date.parse('2026-01-01T00:00:00Z') - 50_000;

export function createFakeClock(startMs = Date.parse('2026-01-01T00:00:00Z')): FakeClock {
  let nowMs = startMs;
  const sleepers: { dueMs: number; wake: () => void }[] = [];
  const notAdvanced = forgottenSleeps.open();
  let isAdvancing = false;
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    boot: () => nowMs - BOOT_MS,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = {
          // Whole milliseconds, like timers: with a fraction, a sleeper could wake before its time and sleep again for
          // ever.
          dueMs: nowMs + Math.ceil(ms),
          wake: () => {
            const at = sleepers.indexOf(sleeper);
            if (at >= 0) sleepers.splice(at, 1);
            notAdvanced.delete(sleeper);
            signal?.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        sleepers.push(sleeper);
        notAdvanced.add(sleeper, `sleep of ${ms} ms`, isAdvancing);
        signal?.addEventListener('abort', sleeper.wake, { once: true });
      }),
    after: (ms, work) => {
      const leave = () => {
        const at = sleepers.indexOf(sleeper);
        if (at >= 0) sleepers.splice(at, 1);
      };
      const sleeper = {
        dueMs: nowMs + Math.ceil(ms),
        wake: () => {
          leave();
          work();
        },
      };
      sleepers.push(sleeper);
      return { cancel: leave };
    },
    advance: async (ms) => {
      const endMs = nowMs + ms;
      await settle();
      notAdvanced.clear();
      isAdvancing = true;
      for (;;) {
        const [next] = sleepers.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
        if (!next) break;
        nowMs = Math.max(nowMs, next.dueMs);
        next.wake();
        await settle();
      }
      nowMs = endMs;
      await settle();
      isAdvancing = false;
    },
    get sleepers() {
      return sleepers.length;
    },
  };
}
