import { closeSync, constants, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { errnoOf, HealthctlError } from '../lib/errors.ts';

/** The prefix of the temporary file beside `path`: a left-over of a writer that died, when nobody holds the lock. */
export const temporaryPrefix = (path: string) => `.${basename(path)}.`;

/**
 * Replaces a file so that a reader sees the old or the new content, never a part: a temporary file in the same directory, then rename(2).
 * Not synced to the disk: a crash of the process loses nothing, a loss of power may lose the last replacements.
 *
 * @throws EXHAUSTED when there is no space (the old content stays), system errors otherwise
 */
export function replaceFile(path: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = `${dirname(path)}/${temporaryPrefix(path)}${process.pid}.${unique()}`;
  try {
    const fd = openSync(
      temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      mode,
    );
    try {
      writeAll(fd, Buffer.from(content));
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw noSpaceError(error, path);
  }
}

/** Eight digits so that two writers do not meet; whoever may not write into a file that exists opens with O_EXCL. */
export const unique = (): string => Math.random().toString(16).slice(2, 10);

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Errors of a full disk as EXHAUSTED, all others as they are. */
export function noSpaceError(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno !== 'ENOSPC' && errno !== 'EDQUOT') return error;
  return new HealthctlError('EXHAUSTED', `no space left to write ${path}`, {
    cause: error,
    hint: 'free space on its file system',
  });
}
