import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { errnoOf, HealthctlError } from '../lib/errors.ts';

/** The most to read of a `health.json`, in bytes: nerdctl never trims its own. */
const MAX_READ_BYTES = 8 << 20;

/** The end of a regular file, from the start of a line; empty if it does not exist or is no regular file. */
export function readTail(path: string): string {
  if (!existsSync(path)) return ''; // cheaper than an error, in lists of many containers without a check so far
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP' || errnoOf(error) === 'ENOTDIR') return '';
    if (errnoOf(error) === 'EACCES') {
      throw new HealthctlError('DENIED', `permission denied on ${path}`, { cause: error, hint: 'run as root' });
    }
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() ? readTailOf(fd, stat.size) : '';
  } finally {
    closeSync(fd);
  }
}

function readTailOf(fd: number, size: number): string {
  const length = Math.min(size, MAX_READ_BYTES);
  const bytes = Buffer.allocUnsafe(length);
  const got = readSync(fd, bytes, 0, length, size - length);
  const text = bytes.toString('utf8', 0, got);
  return length < size ? text.slice(text.indexOf('\n') + 1) : text;
}
