import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errnoOf, HealthctlError } from '../lib/errors.ts';

/** Limit on a file that a user names, in bytes: far above any list of variables, certificates or profile. */
export const MAX_GIVEN_BYTES = 16 << 20;

/** Never waits in the kernel for a writer or a carrier, and never makes a terminal our controlling one. */
export const OPEN_WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

const CHUNK_BYTES = 1 << 16;

/**
 * Reads a file that a user names and that each healthctl process reads again, such as the configuration: so it must not
 * be a pipe. Never blocks; bounded by MAX_GIVEN_BYTES.
 *
 * Throws system errors of open(2) unchanged, CONFIG for anything but a regular file, INVALID for a file that is too
 * large.
 */
export function readPlainFile(path: string): Buffer {
  const fd = openSync(path, OPEN_WITHOUT_WAITING);
  try {
    const stats = fstatSync(fd);
    if (stats.isDirectory()) throw new HealthctlError('CONFIG', `cannot read ${path}: is a directory`);
    if (stats.isFIFO() || stats.isSocket()) throw notRegular(path);
    return readBounded(path, fd);
  } catch (error) {
    // A terminal without input.
    throw errnoOf(error) === 'EAGAIN' ? notRegular(path, error) : error;
  } finally {
    closeSync(fd);
  }
}

/**
 * Everything from the present position of an open file that never blocks. Throws INVALID for more than MAX_GIVEN_BYTES.
 */
export function readBounded(path: string, fd: number): Buffer {
  const chunks: Buffer[] = [];
  for (let size = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = readSync(fd, chunk, 0, chunk.length, null);
    if (count === 0) return Buffer.concat(chunks);
    size += count;
    if (size > MAX_GIVEN_BYTES) throw tooLarge(path);
    chunks.push(chunk.subarray(0, count));
  }
}

export const tooLarge = (path: string): HealthctlError =>
  new HealthctlError('INVALID', `cannot read ${path}: it is larger than ${MAX_GIVEN_BYTES >> 20} MiB`);

const notRegular = (path: string, cause?: unknown): HealthctlError =>
  new HealthctlError('CONFIG', `cannot read ${path}: it is not a regular file`, cause === undefined ? {} : { cause });
