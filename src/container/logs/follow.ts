import type { Clock } from '../../lib/clock.ts';
import type { GrowingFile } from './growing-file.ts';

/** Accepts bytes, and resolves when it can accept more. */
export type Write = (bytes: Buffer) => Promise<void>;

export interface FollowOptions {
  /** Start offset, in bytes. */
  readonly from: number;
  readonly write: Write;
  readonly clock: Clock;
  /** Aborts when nothing more is appended: the remaining data is still copied. */
  readonly ended: AbortSignal;
  /** Aborts when no reader is left: copying stops at once. */
  readonly signal: AbortSignal;
}

/** Bytes per read, and so the most that is held in memory. */
const CHUNK_BYTES = 64 * 1024;
/** Changes are noticed at once; polling is for file systems without notifications. */
const POLL_MS = 250;
const LONG_MS = 24 * 60 * 60_000;

/**
 * Copies a file's content from an offset on, and what is appended, until `ended` or `signal`. Each byte is written
 * once, in order. If the file becomes shorter, it was truncated: it is read from its beginning.
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
      // Up to the present end: a file that grows faster than it is read would have none.
      const to = await file.size();
      position = await copyRange(file, { from: position <= to ? position : 0, to, write, signal });
      if (isLast) return;
      if (changed) continue;
      const rest = new AbortController();
      wake = () => rest.abort();
      await clock.sleep(file.reportsAll ? LONG_MS : POLL_MS, rest.signal);
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

/** Copies a part of a file. @returns the position after the last byte written */
export async function copyRange(file: GrowingFile, { from, to, write, signal }: RangeOptions): Promise<number> {
  let position = from;
  while (position < to && !signal.aborted) {
    const bytes = await file.read(position, Math.min(CHUNK_BYTES, to - position));
    if (bytes.length === 0) break; // it was truncated meanwhile
    if (bytes[0] === 0) {
      // A limit may have dropped it: dropped data reads as zeros.
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
