import { closeSync, constants, fstatSync, lstatSync } from 'node:fs';
import type { LogLimit } from '../../record/log-config.ts';
import { openPlain, removeOwn } from '../../system/own-file.ts';
import { firstData, punchFront } from '../../system/sparse.ts';
import { OUTPUT_STREAMS, outputFilesOf, timesPathOf } from './output-files.ts';

/**
 * Drops the oldest output if the total exceeds the limit: like Docker it keeps between the limit minus one file and the
 * whole limit; of a single file, half. The shim can append meanwhile and loses nothing: the beginning of its file is
 * returned to the file system, and no remaining byte moves.
 *
 * @param comingBytes expected bytes before the next call: it makes room for them now, unless they would take less than
 *   an eighth
 * @returns the number of remaining bytes
 * @throws system errors; EOPNOTSUPP if the file system does not support it: then nothing is dropped
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

/** The smallest part to drop, as a fraction of the largest. */
const LEAST_PART = 8;

interface Sized {
  readonly path: string;
  /** Number of remaining bytes. */
  readonly bytes: number;
  readonly isLive: boolean;
}

const BLOCK_BYTES = 512; // stat(2)

/** The space that a file uses, up to its length: a hole is dropped data. Anything but a regular file uses none. */
function sizeUp(path: string): Sized {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const { size, blocks } = stats?.isFile() ? stats : { size: 0, blocks: 0 };
  return { path, bytes: Math.min(size, blocks * BLOCK_BYTES), isLive: !/\.\d+\.log$/.test(path) };
}

/** @returns the number of dropped bytes: whole blocks of the file system */
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
