import { closeSync, constants, fstatSync, lstatSync } from 'node:fs';
import type { LogLimit } from '../../record/log-config.ts';
import { openPlain, removeOwn } from '../../system/own-file.ts';
import { firstData, punchFront } from '../../system/sparse.ts';
import { OUTPUT_STREAMS, outputFilesOf, timesPathOf } from './output-files.ts';

/**
 * Drops the oldest output where more is kept than the limit allows: Docker keeps between one file less than its limit and all of them, and so
 * much is kept here too; of a single file, half. The shim goes on appending meanwhile and loses nothing: the beginning of its file is given
 * back to the file system, and no byte that stays moves.
 *
 * @param comingBytes are expected before the next call: for them there is room already, unless it would take less than an eighth
 * @returns how many bytes are left
 * @throws system errors; EOPNOTSUPP where the file system cannot do it: there nothing is dropped
 */
export function cutLogs(dataDir: string, { maxSize, maxFile }: LogLimit, comingBytes = 0): number {
  const limit = maxSize * maxFile;
  const kept = maxFile > 1 ? limit - maxSize : Math.floor(limit / 2);
  const files = OUTPUT_STREAMS.flatMap((stream) => outputFilesOf(dataDir, stream)).map(sizeUp);
  const used = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const isWorthIt = used - kept >= (limit - kept) / LEAST_PART;
  if (used + comingBytes <= limit || !isWorthIt) return used;
  let excess = used - kept;
  const live = files.filter(({ isLive }) => isLive).sort((a, b) => b.bytes - a.bytes);
  for (const file of [...files.filter(({ isLive }) => !isLive), ...live]) {
    if (excess <= 0) break;
    excess -= file.isLive || file.bytes > excess ? cutFront(file.path, excess) : drop(file);
  }
  return kept + excess;
}

/** A file of an earlier run. */
function drop({ path, bytes }: Sized): number {
  removeOwn(path);
  removeOwn(timesPathOf(path));
  return bytes;
}

/** The least that is dropped, as a part of what is dropped at most. */
const LEAST_PART = 8;

interface Sized {
  readonly path: string;
  /** What is left of it. */
  readonly bytes: number;
  readonly isLive: boolean;
}

const BLOCK_BYTES = 512; // stat(2)

/** What a file takes, as far as it is not longer than that: a hole is what was dropped. What is no regular file takes nothing. */
function sizeUp(path: string): Sized {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const { size, blocks } = stats?.isFile() ? stats : { size: 0, blocks: 0 };
  return { path, bytes: Math.min(size, blocks * BLOCK_BYTES), isLive: !/\.\d+\.log$/.test(path) };
}

/** @returns how many bytes were dropped: whole blocks of the file system */
function cutFront(path: string, excess: number): number {
  const fd = openPlain(path, constants.O_RDWR);
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
