import type { Clock } from './clock.ts';

/**
 * A timer that fires this late shows that the process was stopped: by a signal, frozen, swapping, or with its machine.
 */
const STOOD_STILL_MS = 250;
/** Time to read the input that arrived meanwhile: timers fire before input is read. */
export const CATCH_UP_MS = 50;

/** Whether a timer that was due at `dueMs`, monotonic, and fires now shows that the process was stopped. */
export function hasStoodStill(clock: Pick<Clock, 'monotonic'>, dueMs: number): boolean {
  return clock.monotonic() - dueMs > STOOD_STILL_MS;
}

/**
 * Calls `onPassed` after `ms`. A process that was stopped notices late: it first reads the input that arrived
 * meanwhile, which may cancel the deadline.
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
