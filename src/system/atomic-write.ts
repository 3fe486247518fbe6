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
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errnoOf, HealthctlError, hasCode } from '../lib/errors.ts';
import type { FaultReporter } from '../lib/fault-reporter.ts';
import { inspectOwnFile, kindOf, openPlain, setAside } from './own-file.ts';

/**
 * The prefix of the temporary file beside `path`: if nobody holds the lock, such a file was left by a writer that died.
 */
export const temporaryPrefix = (path: string) => `.${basename(path)}.`;

/**
 * Replaces a file atomically: a reader sees the old or the new content, never a part. Writes a temporary file in the
 * same directory, then rename(2). Not synced to the disk: a crash of the process loses nothing, a power failure may
 * lose the last replacements.
 *
 * @throws EXHAUSTED if there is no space (the old content stays), system errors otherwise
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

/**
 * Like `replaceFile`, of several parts and synced to the disk before the new name holds: for what replaces the only
 * other copy. Does not block the thread.
 *
 * @throws like `replaceFile`
 */
export async function replaceFileSynced(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${dirname(path)}/${temporaryPrefix(path)}${process.pid}.${unique()}`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    const file = await open(temporary, flags, 0o600);
    try {
      await writeParts(file, parts);
      await file.sync();
    } finally {
      await file.close();
    }
    renameOver(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw noSpaceError(error, path);
  }
}

async function writeParts(file: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  const bytes = Buffer.concat(parts);
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}

/** rename(2) replaces a FIFO or a link, but not a directory, which is set aside. */
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
 * Replaces a file unless it already has this content and mode: then nothing is written, which also works on a full or
 * read-only disk. Throws like replaceFile.
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

/** Overwrites a file that is at least as long, which needs no new space. @returns whether it succeeded */
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

/**
 * Eight digits, so that two writers do not collide; a writer that must not reuse an existing file opens with O_EXCL.
 */
export const unique = (): string => Math.random().toString(16).slice(2, 10);

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Converts errors of a full disk to EXHAUSTED; returns all others unchanged. */
export function noSpaceError(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno !== 'ENOSPC' && errno !== 'EDQUOT') return error;
  return new HealthctlError('EXHAUSTED', `no space left to write ${path}`, {
    cause: error,
    hint: 'free space on its file system',
  });
}
