import type { Clock } from '../lib/clock.ts';

/**
 * Gives memory back: after the start of many containers, whose remains V8 would leave to a collection that may come hours later; and when
 * memory has grown, as it does where Node.js runs without NODE_FLAGS (`daemon run` by hand), and after a time in which the machine was so
 * busy that work piled up: neither V8 nor the C library gives that back by itself.
 */
export interface Tidier {
  /** The monitor has listed all containers. */
  onReady(): void;
  /** A container was started. */
  onStarted(): void;
  stop(): void;
}

export interface TidierOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  /** Frees memory; takes a moment in which nothing else is done. */
  readonly release: () => void;
  /** Bytes of the process in memory; undefined where they cannot be read. */
  readonly residentBytes: () => number | undefined;
}

/** So long after the last start. */
const QUIET_MS = 10_000;
/** What fewer starts leave, less than 2 MB, is not worth the 20 ms of CPU that it takes to collect it. */
const MANY_STARTS = 16;
/** Not more often than this, whatever is started or grows. */
const PAUSE_MS = 60_000;
/** Memory has grown when it is so many times what it was after the last release. */
const GROWTH = 1.2;

export function createTidier({ clock, release, residentBytes }: TidierOptions): Tidier {
  let planned: { cancel(): void } | undefined;
  let looking: { cancel(): void } | undefined;
  let releasedAtMs = Number.NEGATIVE_INFINITY;
  let leftBytes = Number.POSITIVE_INFINITY;
  let starts = 0;
  const releaseNow = (): void => {
    planned?.cancel();
    planned = undefined;
    starts = 0;
    release();
    releasedAtMs = clock.monotonic();
    leftBytes = residentBytes() ?? Number.POSITIVE_INFINITY;
    lookLater();
  };
  const lookLater = (): void => {
    looking?.cancel();
    looking = clock.after(PAUSE_MS, () => {
      if ((residentBytes() ?? 0) > leftBytes * GROWTH) releaseNow();
      else lookLater();
    });
  };
  const releaseLater = (): void => {
    planned?.cancel();
    const delayMs = Math.max(QUIET_MS, releasedAtMs + PAUSE_MS - clock.monotonic());
    planned = clock.after(delayMs, releaseNow);
  };
  return {
    onReady: releaseLater,
    onStarted: () => {
      starts += 1;
      if (starts >= MANY_STARTS) releaseLater();
    },
    stop: () => {
      planned?.cancel();
      looking?.cancel();
    },
  };
}
