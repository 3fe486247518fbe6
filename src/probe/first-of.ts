import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';
import { CATCH_UP_MS, hasStoodStill } from '../lib/deadline.ts';

/** The end of a probe. */
export interface Ended {
  readonly outcome: Outcome;
  /** Wall time of the end, where somebody else measured it; undefined where it is only known that it came. */
  readonly atMs?: number;
}

export interface Until {
  readonly clock: Clock;
  readonly timeoutNs: number;
  /** Wall time of the start. */
  readonly startMs: number;
  readonly signal: AbortSignal | undefined;
}

/** How long a process that stood still waits for the end of a probe that it may have kept waiting. */
const GRACE_MS = 1_000;

/** `catching-up`: what came in while the process stood still is being read; `doubtful`: whatever comes now may be late because of us. */
type Phase = 'in-time' | 'catching-up' | 'doubtful';

/**
 * The end, the timeout or the abort, whichever comes first. Nothing of the timer and of the listener is left.
 *
 * A timeout that was noticed late proves nothing. An end is then held by its own time against start + timeout. Where it has none, one that
 * came in while the process stood still counts, and one that comes in the second after that is `cancelled`: nothing can be known.
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
