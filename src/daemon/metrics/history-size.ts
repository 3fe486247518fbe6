import { historyFiles, sizeOf } from '../../history/files.ts';
import type { Clock } from '../../lib/clock.ts';
import { errnoOf } from '../../lib/errors.ts';

/** It looks at some hundred files. */
const LOOK_EVERY_MS = 60_000;

/** The size of the history in bytes, at most a minute old; undefined if it cannot be read. */
export function createHistorySize(dir: string, clock: Pick<Clock, 'monotonic'>): () => number | undefined {
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let bytes: number | undefined;
  return () => {
    if (clock.monotonic() - lookedAtMs < LOOK_EVERY_MS) return bytes;
    lookedAtMs = clock.monotonic();
    bytes = readSize(dir);
    return bytes;
  };
}

function readSize(dir: string): number | undefined {
  try {
    return historyFiles(dir).reduce((total, file) => total + sizeOf(file), 0);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
