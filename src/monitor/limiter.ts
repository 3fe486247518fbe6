/** A place in the limiter. Must be given back, once. */
type Release = () => void;

/** Lets only so many work at once; the others wait in line. */
export interface Limiter {
  /** Resolves when there is a place; undefined when the signal fires first. */
  acquire(signal: AbortSignal): Promise<Release | undefined>;
  readonly inUse: number;
  readonly waiting: number;
}

/** First come, first served: who was due earlier starts earlier. */
export function createLimiter(places: number): Limiter {
  const line = new Set<() => void>();
  let inUse = 0;
  const take = (): Release => {
    inUse += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      inUse -= 1;
      const [next] = line;
      next?.();
    };
  };
  return {
    acquire: (signal) => {
      if (signal.aborted) return Promise.resolve(undefined);
      if (inUse < places) return Promise.resolve(take());
      return new Promise((resolve) => {
        const leave = (): void => {
          line.delete(enter);
          resolve(undefined);
        };
        const enter = (): void => {
          line.delete(enter);
          signal.removeEventListener('abort', leave);
          resolve(take());
        };
        line.add(enter);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
    get inUse() {
      return inUse;
    },
    get waiting() {
      return line.size;
    },
  };
}
