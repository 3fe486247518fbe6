import type { Clock } from '../../lib/clock.ts';
import { fileReasonOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';

/** Copies a part, and returns whether there is more. Throws system errors. */
type CopyPart = () => boolean;

/**
 * Copies the output of containers, one part of one container after another, so that a container that floods its log
 * does not delay checks.
 */
export interface JsonLogLane {
  /** Adds the output of this container; replaces an earlier request. */
  add(key: string, copy: CopyPart): void;
  /** Copies one last part for each waiting container; the rest is left to the next monitor. Idempotent. */
  stop(): void;
}

/** Pause between two parts: a part takes some 5 ms, so copying uses a tenth of a processor at most. */
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
