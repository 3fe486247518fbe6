import type { Clock } from '../lib/clock.ts';

/**
 * Returns memory to the system in two cases: after the start of many containers, whose garbage V8 might keep for hours;
 * and when memory has grown, as happens without NODE_FLAGS (`daemon run` by hand), and after work piled up on a busy
 * machine: neither V8 nor the C library returns that memory by itself.
 */
export interface MemoryReleaser {
  /** The monitor has listed all containers. */
  onReady(): void;
  /** A container was started. */
  onStarted(): void;
  stop(): void;
}

export interface MemoryReleaserOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  /** Frees memory; blocks for a moment. */
  readonly release: () => void;
  /** Resident memory of the process in bytes; undefined if it cannot be read. */
  readonly residentBytes: () => number | undefined;
}

/** Wait after the last start. */
const QUIET_MS = 10_000;
/** Fewer starts leave less than 2 MB, which is not worth the 20 ms of CPU for a collection. */
const MANY_STARTS = 16;
/** Shortest time between two releases. */
const PAUSE_MS = 60_000;
/** Growth since the last release that triggers another. */
const GROWTH = 1.2;

export function createMemoryReleaser({ clock, release, residentBytes }: MemoryReleaserOptions): MemoryReleaser {
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
