import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';
import { CATCH_UP_MS, hasStoodStill } from '../lib/deadline.ts';

/** The end of a probe. */
export interface Ended {
  readonly outcome: Outcome;
  /** Wall time of the end, if another process measured it; otherwise undefined. */
  readonly atMs?: number;
}

export interface Until {
  readonly clock: Clock;
  readonly timeoutNs: number;
  /** Wall time of the start. */
  readonly startMs: number;
  readonly signal: AbortSignal | undefined;
}

/** How long a process that was stopped waits for the end of a probe that it may have delayed. */
const GRACE_MS = 1_000;

/**
 * `catching-up`: reads the input that arrived while the process was stopped; `doubtful`: later input may be late
 * because of us.
 */
type Phase = 'in-time' | 'catching-up' | 'doubtful';

/**
 * Resolves with the end, the timeout or the abort, whichever comes first. Removes its timer and listener.
 *
 * A timeout that was noticed late proves nothing. An end is then compared by its own time with start + timeout. An end
 * without a time counts if it arrived while the process was stopped; one that arrives in the second after that is
 * `cancelled`, because nothing can be known.
 */
export async function firstOf(ended: Promise<Ended>, until: Until): Promise<Outcome> {
  const { clock, timeoutNs, startMs, signal } = until;
  if (signal?.aborted) return { kind: 'cancelled' };
  const timeoutMs = timeoutNs / 1e6;
  const timedOut: Outcome = { kind: 'timed-out', timeoutNs, output: '' };
  return new Promise((resolve, reject) => {
    let phase: Phase = 'in-time';
    const settle = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    const end = (outcome: Outcome): void => {
      settle();
      resolve(outcome);
    };
    const onAbort = (): void => end({ kind: 'cancelled' });
    const onEnd = ({ outcome, atMs }: Ended): void => {
      end(phase === 'in-time' ? outcome : doubtfulOutcome(outcome, atMs));
    };
    const doubtfulOutcome = (outcome: Outcome, atMs: number | undefined): Outcome => {
      if (atMs !== undefined) return atMs - startMs > timeoutMs ? timedOut : outcome;
      return phase === 'catching-up' ? outcome : { kind: 'cancelled' };
    };
    const dueMs = clock.monotonic() + timeoutMs;
    let timer = clock.after(timeoutMs, () => {
      if (!hasStoodStill(clock, dueMs)) {
        end(timedOut);
        return;
      }
      phase = 'catching-up';
      timer = clock.after(CATCH_UP_MS, () => {
        phase = 'doubtful';
        timer = clock.after(GRACE_MS, () => end(timedOut));
      });
    });
    signal?.addEventListener('abort', onAbort);
    ended.then(onEnd, (error: unknown) => {
      settle();
      reject(error);
    });
  });
}
