/** Lateness of the last checks: the time from due to start, in milliseconds. */
export interface Lags {
  add(lagMs: number): void;
  /** Number of checks added in total. */
  readonly total: number;
  /** Undefined before the first check. */
  summary(): LagSummary | undefined;
}

export interface LagSummary {
  /** Number of checks that the figures cover. */
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const KEPT = 2048;

export function createLags(): Lags {
  const kept = new Float64Array(KEPT);
  let added = 0;
  return {
    add: (lagMs) => {
      kept[added % KEPT] = Math.max(0, lagMs);
      added += 1;
    },
    get total() {
      return added;
    },
    summary: () => {
      const count = Math.min(added, KEPT);
      if (count === 0) return undefined;
      const sorted = kept.slice(0, count).sort();
      const at = (share: number): number => sorted[Math.min(count - 1, Math.floor(share * count))] ?? 0;
      return { count, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
    },
  };
}
