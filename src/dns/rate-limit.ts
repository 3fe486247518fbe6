import type { Clock } from '../lib/clock.ts';

/** So many queries a second; as many may come at once after a pause. */
export interface Rates {
  readonly each: number;
  readonly all: number;
}

/** The queries of one container. */
export interface RateLimit {
  /** Counts a query. @returns whether it is to be answered */
  admit(): boolean;
}

/**
 * Limits the work that containers can make for us. A container is over its limit when it has used up its own share; or
 * more than half of it, when the share of all is used up: so a flood of some takes nothing from the others.
 */
export function createRateLimits(rates: Rates, clock: Pick<Clock, 'monotonic'>): () => RateLimit {
  const all = createBucket(rates.all, clock);
  return () => {
    const own = createBucket(rates.each, clock);
    return {
      admit: () => {
        if (!own.take()) return false;
        return all.take() || own.left() > rates.each / 2;
      },
    };
  };
}

function createBucket(perSecond: number, clock: Pick<Clock, 'monotonic'>) {
  let tokens = perSecond;
  let atMs = clock.monotonic();
  const fill = (): void => {
    const nowMs = clock.monotonic();
    tokens = Math.min(perSecond, tokens + ((nowMs - atMs) * perSecond) / 1000);
    atMs = nowMs;
  };
  return {
    take: (): boolean => {
      fill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    left: (): number => tokens,
  };
}
