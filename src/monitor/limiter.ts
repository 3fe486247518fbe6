/** A slot of the limiter. Release it exactly once. */
type Release = () => void;

/** Limits how much work runs at once; the rest waits in a queue. */
export interface Limiter {
  /** Resolves when there is a slot; undefined if the signal fires first. */
  acquire(signal: AbortSignal): Promise<Release | undefined>;
  readonly inUse: number;
  readonly waiting: number;
}

/** In order of arrival: a check that was due earlier starts earlier. */
export function createLimiter(slots: number): Limiter {
  const queue = new Set<() => void>();
  let inUse = 0;
  const occupySlot = (): Release => {
    inUse += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      inUse -= 1;
      const [next] = queue;
      next?.();
    };
  };
  return {
    acquire: (signal) => {
      if (signal.aborted) return Promise.resolve(undefined);
      if (inUse < slots) return Promise.resolve(occupySlot());
      return new Promise((resolve) => {
        const leave = (): void => {
          queue.delete(enter);
          resolve(undefined);
        };
        const enter = (): void => {
          queue.delete(enter);
          signal.removeEventListener('abort', leave);
          resolve(occupySlot());
        };
        queue.add(enter);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
    get inUse() {
      return inUse;
    },
    get waiting() {
      return queue.size;
    },
  };
}
