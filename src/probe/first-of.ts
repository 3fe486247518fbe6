import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';

/** The end, the timeout or the abort, whichever comes first. Nothing of the timer is left. */
export async function firstOf(
  ended: Promise<Outcome>,
  until: { readonly clock: Clock; readonly timeoutNs: number; readonly signal: AbortSignal | undefined },
): Promise<Outcome> {
  const settled = new AbortController();
  const timedOut = until.clock
    .sleep(until.timeoutNs / 1e6, settled.signal)
    .then((): Outcome => ({ kind: 'timed-out', timeoutNs: until.timeoutNs, output: '' }));
  const aborted = new Promise<Outcome>((resolve) => {
    const onAbort = () => resolve({ kind: 'cancelled' });
    if (until.signal?.aborted) return onAbort();
    until.signal?.addEventListener('abort', onAbort, { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([ended, timedOut, aborted]);
  } finally {
    settled.abort();
  }
}
