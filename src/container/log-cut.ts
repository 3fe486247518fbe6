import { closeSync, constants, fstatSync, lstatSync, openSync, rmSync } from 'node:fs';
import { firstData, punchFront } from '../system/sparse.ts';
import type { LogLimit } from './log-config.ts';
import { OUTPUT_STREAMS, outputFilesOf, timesPathOf } from './output-files.ts';

/**
 * Drops the oldest output where more is kept than the limit allows: Docker keeps between one file less than its limit and all of them, and so
 * much is kept here too; of a single file, half. The shim goes on appending meanwhile and loses nothing: the beginning of its file is given
 * back to the file system, and no byte that stays moves.
 *
 * @throws system errors; EOPNOTSUPP where the file system cannot do it: there nothing is dropped
 */
export function cutLogs(dataDir: string, { maxSize, maxFile }: LogLimit): void {
  const limit = maxSize * maxFile;
  const kept = maxFile > 1 ? limit - maxSize : Math.floor(limit / 2);
  const files = OUTPUT_STREAMS.flatMap((stream) => outputFilesOf(dataDir, stream)).map(sizeUp);
  const used = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (used <= limit) return;
  let excess = used - kept;
  const live = files.filter(({ isLive }) => isLive).sort((a, b) => b.bytes - a.bytes);
  for (const file of [...files.filter(({ isLive }) => !isLive), ...live]) {
    if (excess <= 0) return;
    excess -= file.isLive || file.bytes > excess ? cutFront(file.path, excess) : drop(file);
  }
}

/** A file of an earlier run. */
function drop({ path, bytes }: Sized): number {
  rmSync(path, { force: true });
  rmSync(timesPathOf(path), { force: true });
  return bytes;
}

interface Sized {
  readonly path: string;
  /** What is left of it. */
  readonly bytes: number;
  readonly isLive: boolean;
}

const BLOCK_BYTES = 512; // stat(2)

/** What a file takes, as far as it is not longer than that: a hole is what was dropped. */
function sizeUp(path: string): Sized {
  const { size = 0, blocks = 0 } = lstatSync(path, { throwIfNoEntry: false }) ?? {};
  return { path, bytes: Math.min(size, blocks * BLOCK_BYTES), isLive: !/\.\d+\.log$/.test(path) };
}

/** @returns how many bytes were dropped: whole blocks of the file system */
function cutFront(path: string, excess: number): number {
  const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size, blksize } = fstatSync(fd);
    const from = firstData(fd, 0, size);
    const to = Math.floor(Math.min(from + excess, size) / blksize) * blksize;
    if (to <= from) return 0;
    punchFront(fd, to);
    return to - from;
  } finally {
    closeSync(fd);
  }
}
