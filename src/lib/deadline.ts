import type { Clock } from './clock.ts';

/** A timer that fires this much after its time tells that the process stood still: stopped by a signal, frozen, swapping, its machine paused. */
const STOOD_STILL_MS = 250;
/** What came in meanwhile is read in this time: a timer fires before input is read. */
export const CATCH_UP_MS = 50;

/** Whether a timer that was due at `dueMs`, monotonic, and fires now tells that the process stood still. */
export function hasStoodStill(clock: Pick<Clock, 'monotonic'>, dueMs: number): boolean {
  return clock.monotonic() - dueMs > STOOD_STILL_MS;
}

/**
 * Calls `onPassed` when `ms` have passed. A process that stood still notices late: it first reads what came in meanwhile, which may cancel the
 * deadline.
 */
export function startDeadline(
  clock: Pick<Clock, 'monotonic' | 'after'>,
  ms: number,
  onPassed: () => void,
): { cancel(): void } {
  const dueMs = clock.monotonic() + ms;
  let timer = clock.after(ms, () => {
    if (hasStoodStill(clock, dueMs)) timer = clock.after(CATCH_UP_MS, onPassed);
    else onPassed();
  });
  return { cancel: () => timer.cancel() };
}
