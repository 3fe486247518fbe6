import type { Clock } from '../../lib/clock.ts';

/** Buffers of one size that are used again: V8 would let those of ten scrapes pile up before it frees any. */
export interface BufferPool {
  take(): Buffer;
  giveBack(buffers: readonly Buffer[]): void;
  /** Frees all; what is given back afterwards is not kept. */
  stop(): void;
}

/** Longer than between two scrapes: what is not taken meanwhile is freed. */
const KEEP_MS = 120_000;

export function createBufferPool(size: number, clock: Pick<Clock, 'after'>): BufferPool {
  let free: Buffer[] = [];
  let timer: { cancel(): void } | undefined;
  let isStopped = false;
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(size),
    giveBack: (buffers) => {
      if (isStopped) return;
      free.push(...buffers);
      timer?.cancel();
      timer = clock.after(KEEP_MS, () => {
        free = [];
      });
    },
    stop: () => {
      isStopped = true;
      timer?.cancel();
      free = [];
    },
  };
}
