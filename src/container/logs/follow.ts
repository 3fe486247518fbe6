import type { Clock } from '../../lib/clock.ts';
import type { GrowingFile } from './growing-file.ts';

/** Takes bytes, and resolves when it can take more. */
export type Write = (bytes: Buffer) => Promise<void>;

export interface FollowOptions {
  /** Where to begin, in bytes. */
  readonly from: number;
  readonly write: Write;
  readonly clock: Clock;
  /** Aborts when nothing is appended any more: what is there is still copied. */
  readonly ended: AbortSignal;
  /** Aborts when nobody wants to read on: copying stops where it is. */
  readonly signal: AbortSignal;
}

/** Bytes that are read at once, and so what is held in memory. */
const CHUNK_BYTES = 64 * 1024;
/** A change is noticed at once; this is for file systems that tell of none. */
const POLL_MS = 250;

/**
 * Copies what a file holds from an offset on, and what is appended to it, until `ended` or `signal`. Each byte is written once, in order.
 * A file that became shorter was emptied by somebody: it is read from its beginning.
 */
export async function followFile(file: GrowingFile, options: FollowOptions): Promise<void> {
  const { write, clock, ended, signal } = options;
  let position = options.from;
  let wake = (): void => {};
  let changed = false;
  const notice = (): void => {
    changed = true;
    wake();
  };
  const unwatch = file.onChange(notice);
  ended.addEventListener('abort', notice);
  signal.addEventListener('abort', notice);
  try {
    while (!signal.aborted) {
      const isLast = ended.aborted;
      changed = false;
      // Up to the end that it has now: one that grows faster than it is read would have none.
      const to = await file.size();
      position = await copyRange(file, { from: position <= to ? position : 0, to, write, signal });
      if (isLast) return;
      if (changed) continue;
      const rest = new AbortController();
      wake = () => rest.abort();
      await clock.sleep(POLL_MS, rest.signal);
      wake = () => {};
    }
  } finally {
    unwatch();
    ended.removeEventListener('abort', notice);
    signal.removeEventListener('abort', notice);
  }
}

export interface RangeOptions {
  readonly from: number;
  /** The offset after the last byte. */
  readonly to: number;
  readonly write: Write;
  readonly signal: AbortSignal;
}

/** Copies a part of a file. @returns the position after the last byte that was written */
export async function copyRange(file: GrowingFile, { from, to, write, signal }: RangeOptions): Promise<number> {
  let position = from;
  while (position < to && !signal.aborted) {
    const bytes = await file.read(position, Math.min(CHUNK_BYTES, to - position));
    if (bytes.length === 0) break; // it was emptied meanwhile
    if (bytes[0] === 0) {
      // A limit may have dropped it: what is dropped reads as zeros.
      const kept = await file.dataFrom(position);
      if (kept > position) {
        position = Math.min(kept, to);
        continue;
      }
    }
    await write(bytes);
    position += bytes.length;
  }
  return position;
}
