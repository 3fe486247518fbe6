import type { Clock } from '../../src/lib/clock.ts';
import { forgottenSleeps } from './forgotten-sleeps.ts';

/** A clock that stands still until it is moved. Sleepers wake in the order of their due times. A test that never moves it for a sleeper fails. */
export interface FakeClock extends Clock {
  /** Moves time on, waking sleepers one after the other and letting what they started run in between. */
  advance(ms: number): Promise<void>;
  /** How many sleep now: a test that ends with sleepers has lost something. */
  readonly sleepers: number;
}

/** When its machine was started: 50 s before the runs of tests (aRun in test/builders/health.ts). */
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
          // Whole milliseconds, as timers have it: what is less than the clock can tell apart would never pass.
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
