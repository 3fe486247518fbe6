import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { errnoOf, HealthctlError, hasCode } from '../lib/errors.ts';
import type { FaultReporter } from '../lib/fault-reporter.ts';
import { inspectOwnFile, kindOf, openPlain, setAside } from './own-file.ts';

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
    renameOver(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw noSpaceError(error, path);
  }
}

/** rename(2) replaces a FIFO or a link, but no directory: that one is set aside. */
function renameOver(temporary: string, path: string): void {
  try {
    renameSync(temporary, path);
  } catch (error) {
    const stats = errnoOf(error) === 'EISDIR' ? lstatSync(path, { throwIfNoEntry: false }) : undefined;
    if (!stats?.isDirectory() || !setAside(path, kindOf(stats))) throw error;
    renameSync(temporary, path);
  }
}

/**
 * Replaces a file unless it has this content and mode already: then nothing is written, which works on a full disk and on one that is
 * read-only. Throws as replaceFile.
 */
export function replaceChangedFile(
  path: string,
  content: string,
  { mode, onFault }: FaultReporter & { readonly mode: number },
): void {
  const bytes = Buffer.from(content);
  const found = inspectOwnFile(path, { maxBytes: bytes.length });
  if (found.kind === 'read' && found.bytes.equals(bytes) && (found.stats.mode & 0o7777) === mode) return;
  if (found.kind === 'foreign' && !found.isRegular) setAside(path, found.reason, { onFault });
  try {
    replaceFile(path, content, mode);
  } catch (error) {
    if (!hasCode(error, 'EXHAUSTED') || !overwrite(path, bytes, mode)) throw error;
  }
}

/** Writes over a file that is at least as long, which needs no new space. @returns whether it could */
function overwrite(path: string, bytes: Buffer, mode: number): boolean {
  let fd: number;
  try {
    fd = openPlain(path, constants.O_WRONLY);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size < bytes.length || (stats.mode & 0o7777) !== mode) return false;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
    ftruncateSync(fd, bytes.length);
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  } finally {
    closeSync(fd);
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
