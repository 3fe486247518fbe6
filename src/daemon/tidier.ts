import type { Clock } from '../lib/clock.ts';

/** When V8 is not asked, it leaves what the start of many containers made to a collection that may come hours later. */
export interface Tidier {
  /** A container was started. */
  onStarted(): void;
  stop(): void;
}

/** So long after the last start. */
const QUIET_MS = 10_000;
/** Not more often than this, whatever is started. */
const PAUSE_MS = 60_000;

/** @param release frees memory; takes a moment in which nothing else is done */
export function createTidier(clock: Pick<Clock, 'monotonic' | 'after'>, release: () => void): Tidier {
  let planned: { cancel(): void } | undefined;
  let releasedAtMs = Number.NEGATIVE_INFINITY;
  return {
    onStarted: () => {
      planned?.cancel();
      const delayMs = Math.max(QUIET_MS, releasedAtMs + PAUSE_MS - clock.monotonic());
      planned = clock.after(delayMs, () => {
        planned = undefined;
        release();
        releasedAtMs = clock.monotonic();
      });
    },
    stop: () => planned?.cancel(),
  };
}
