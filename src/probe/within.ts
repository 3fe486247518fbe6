import type { Clock } from '../lib/clock.ts';
import { startDeadline } from '../lib/deadline.ts';

/** Whether a promise settles within so many milliseconds; a rejection counts as well. Nothing of the timer is left. */
export async function within(clock: Clock, limitMs: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = startDeadline(clock, limitMs, () => resolve(false));
    const settle = (): void => {
      timer.cancel();
      resolve(true);
    };
    promise.then(settle, settle);
  });
}
