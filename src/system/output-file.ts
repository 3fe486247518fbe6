import { constants, lstatSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileReasonOf, HealthctlError, messageOf } from '../lib/errors.ts';
import { noSpaceError, temporaryPrefix, unique } from './atomic-write.ts';

/** For what other users need not read: an image may hold secrets. */
const MODE = 0o600;

/**
 * Writes a file that a user names, of any size, at the speed of the disk. A regular file appears whole, or not at all: a
 * file of that name stays as it is until then. A device or a pipe is written directly.
 *
 * @throws INVALID for a path that cannot be written, EXHAUSTED without space, and what `chunks` throws
 */
export async function writeOutputFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const kind = kindOfTarget(path);
  if (kind === 'special') {
    const file = await openFile(path, constants.O_WRONLY);
    return copyAndClose(path, file, chunks);
  }
  const temporary = `${dirname(path)}/${temporaryPrefix(path)}${process.pid}.${unique()}`;
  const file = await openFile(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, path);
  try {
    await copyAndClose(path, file, chunks);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function kindOfTarget(path: string): 'file' | 'special' {
  const stats = statSync(path, { throwIfNoEntry: false }) ?? lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) throw invalid('cannot write to a directory');
  if (stats) return stats.isFile() || stats.isSymbolicLink() ? 'file' : 'special';
  const directory = dirname(path);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return 'file';
  throw invalid(`directory "${directory}" does not exist`);
}

async function openFile(path: string, flags: number, shown = path): Promise<FileHandle> {
  try {
    return await open(path, flags | constants.O_NOFOLLOW, MODE);
  } catch (cause) {
    throw invalid(`open ${shown}: ${fileReasonOf(cause)}`, cause);
  }
}

async function copyAndClose(path: string, file: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of chunks) await writeAll(path, file, chunk);
  } finally {
    await file.close();
  }
}

async function writeAll(path: string, file: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
  } catch (cause) {
    const error = noSpaceError(cause, path);
    throw error instanceof HealthctlError ? error : invalid(messageOf(cause), cause);
  }
}

const invalid = (why: string, cause?: unknown) =>
  new HealthctlError('INVALID', `invalid output path: ${why}`, { cause });
