import type { Clock } from '../../lib/clock.ts';
import { createHistogram, DELAY_BOUNDS, type HistogramCounts } from '../../metrics/histogram.ts';

/**
 * Measures how late timers fire. Not `monitorEventLoopDelay` of Node.js: its percentiles cannot be added up over time
 * or hosts, and it must be reset, which two scrapers would do to each other.
 */
export interface DelayMeter {
  readonly counts: HistogramCounts;
  /**
   * Idempotent, and without effect after `stop`: call it with each scrape, so that a monitor without one has no timer.
   */
  start(): void;
  stop(): void;
}

const EVERY_MS = 250;

export function createDelayMeter(clock: Pick<Clock, 'monotonic' | 'after'>): DelayMeter {
  const counts = createHistogram(DELAY_BOUNDS);
  let timer: { cancel(): void } | undefined;
  let isStopped = false;
  const measure = (): void => {
    const dueMs = clock.monotonic() + EVERY_MS;
    timer = clock.after(EVERY_MS, () => {
      counts.add(Math.max(0, clock.monotonic() - dueMs) / 1_000);
      measure();
    });
  };
  return {
    counts,
    start: () => {
      if (!timer && !isStopped) measure();
    },
    stop: () => {
      isStopped = true;
      timer?.cancel();
    },
  };
}
