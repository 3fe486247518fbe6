/**
 * Upper bounds of buckets in seconds: a native check takes 1 ms, one that starts a program 30 ms and more, the default
 * timeout is 30 s.
 */
export const CHECK_DURATION_BOUNDS: readonly number[] = [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
export const LAG_BOUNDS: readonly number[] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
export const DELAY_BOUNDS: readonly number[] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

/** The index of the bucket for a value; `bounds.length` for one above all bounds. */
export function bucketOf(bounds: readonly number[], value: number): number {
  const index = bounds.findIndex((bound) => value <= bound);
  return index < 0 ? bounds.length : index;
}

/** Counted observations: not cumulative, with a last bucket for those above all bounds. */
export interface HistogramCounts {
  readonly bounds: readonly number[];
  readonly sum: number;
  readonly buckets: ArrayLike<number>;
}

export interface Histogram extends HistogramCounts {
  add(value: number): void;
}

export function createHistogram(bounds: readonly number[]): Histogram {
  const buckets = new Float64Array(bounds.length + 1);
  let sum = 0;
  return {
    bounds,
    buckets,
    get sum() {
      return sum;
    },
    add: (value) => {
      const index = bucketOf(bounds, value);
      buckets[index] = (buckets[index] ?? 0) + 1;
      sum += value;
    },
  };
}
