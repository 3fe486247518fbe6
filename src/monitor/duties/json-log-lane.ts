import type { Clock } from '../../lib/clock.ts';
import { fileReasonOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';

/** Copies a part, and says whether there is more. Throws system errors. */
type CopyPart = () => boolean;

/** Copies the output of containers, one part of one container after the other, so that no container that floods its log delays checks. */
export interface JsonLogLane {
  /** There is something to copy for this container; what it asked for before is replaced. */
  add(key: string, copy: CopyPart): void;
  /** Copies a last part of each that waits; the rest is left to the next monitor. Idempotent. */
  stop(): void;
}

/** Between two parts while there is more: a part takes some 5 ms, so that copying takes a tenth of a processor at most. */
const PAUSE_MS = 50;

export function createJsonLogLane({ clock, log }: { readonly clock: Clock; readonly log: Logger }): JsonLogLane {
  const waiting = new Map<string, CopyPart>();
  const failed = new Set<string>();
  let timer: { cancel(): void } | undefined;

  const copyPart = (key: string, copy: CopyPart): boolean => {
    try {
      const isMore = copy();
      failed.delete(key);
      return isMore;
    } catch (error) {
      if (!failed.has(key)) log.warn(`the JSON log of container ${key} cannot be written: ${fileReasonOf(error)}`);
      failed.add(key);
      return false;
    }
  };
  const turn = (): void => {
    timer = undefined;
    const [next] = waiting;
    if (!next) return;
    const [key, copy] = next;
    waiting.delete(key);
    if (copyPart(key, copy) && !waiting.has(key)) waiting.set(key, copy);
    if (waiting.size > 0) timer = clock.after(PAUSE_MS, turn);
  };
  return {
    add: (key, copy) => {
      waiting.set(key, copy);
      timer ??= clock.after(0, turn);
    },
    stop: () => {
      timer?.cancel();
      timer = undefined;
      for (const [key, copy] of waiting) copyPart(key, copy);
      waiting.clear();
    },
  };
}
