import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';

/** The end, the timeout or the abort, whichever comes first. Nothing of the timer and of the listener is left. */
export async function firstOf(
  ended: Promise<Outcome>,
  until: { readonly clock: Clock; readonly timeoutNs: number; readonly signal: AbortSignal | undefined },
): Promise<Outcome> {
  const { clock, timeoutNs, signal } = until;
  if (signal?.aborted) return { kind: 'cancelled' };
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    const end = (outcome: Outcome): void => {
      settle();
      resolve(outcome);
    };
    const onAbort = (): void => end({ kind: 'cancelled' });
    const timer = clock.after(timeoutNs / 1e6, () => end({ kind: 'timed-out', timeoutNs, output: '' }));
    signal?.addEventListener('abort', onAbort);
    ended.then(end, (error: unknown) => {
      settle();
      reject(error);
    });
  });
}
