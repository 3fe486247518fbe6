import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errnoOf, HealthctlError } from '../lib/errors.ts';

/** Bytes of a file that a user names: far more than any list of variables, certificates or profile has. */
export const MAX_GIVEN_BYTES = 16 << 20;

/** Nothing waits in the kernel for a writer or a carrier, and no terminal becomes ours. */
export const OPEN_WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

const CHUNK_BYTES = 1 << 16;

/**
 * The content of a file that a user names and that each process of healthctl reads again, such as the configuration: a pipe is no place for
 * it and is not waited for. It never blocks, and is bounded by MAX_GIVEN_BYTES.
 *
 * Throws system errors of open(2) as they are, CONFIG for what is no regular file, INVALID for what is too large.
 */
export function readPlainFile(path: string): Buffer {
  const fd = openSync(path, OPEN_WITHOUT_WAITING);
  try {
    const stats = fstatSync(fd);
    if (stats.isDirectory()) throw new HealthctlError('CONFIG', `cannot read ${path}: is a directory`);
    if (stats.isFIFO() || stats.isSocket()) throw notRegular(path);
    return readBounded(path, fd);
  } catch (error) {
    // A terminal on which nobody has typed.
    throw errnoOf(error) === 'EAGAIN' ? notRegular(path, error) : error;
  } finally {
    closeSync(fd);
  }
}

/** Everything from the present position of an open file that never blocks. Throws INVALID for more than MAX_GIVEN_BYTES. */
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
