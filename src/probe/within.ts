import type { Clock } from '../lib/clock.ts';
import { startDeadline } from '../lib/deadline.ts';

/** Whether a promise settles within the given time; a rejection counts too. Removes its timer. */
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
