import { constants, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { HealthctlError } from '../../lib/errors.ts';
import { kindOf, reasonOfForeign } from '../../system/own-file.ts';
import { firstData } from '../../system/sparse.ts';

const BLOCK_BYTES = 512; // stat(2)

/** A file that another process appends to. */
export interface GrowingFile {
  /** Device and inode: the same for two openings of one file. */
  readonly key: string;
  /** Whether `onChange` misses nothing, so that its user need not poll. */
  readonly reportsAll?: boolean;
  /** Up to `length` bytes from `position` on; empty at the end. */
  read(position: number, length: number): Promise<Buffer>;
  /** Bytes. */
  size(): Promise<number>;
  /** The first offset from `position` on that no limit has dropped. */
  dataFrom(position: number): Promise<number>;
  /** Time of the last write. Wall time, milliseconds since the epoch. */
  writtenAtMs(): Promise<number>;
  /** Calls the listener when there may be more; it may miss changes. @returns a function that ends this */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

/**
 * Opens a regular file for reading; symbolic links are not followed. Throws CORRUPT for anything else, and system
 * errors.
 */
export async function openGrowingFile(path: string): Promise<GrowingFile> {
  const { file, key } = await openRegular(path);
  return {
    key,
    read: (position, length) => readAt(file, position, length),
    size: async () => (await file.stat()).size,
    dataFrom: async (position) => {
      const { size, blocks } = await file.stat();
      const isWhole = blocks * BLOCK_BYTES >= size;
      return isWhole || position >= size ? position : firstData(file.fd, position, size);
    },
    writtenAtMs: async () => (await file.stat()).mtimeMs,
    onChange: (listener) => watchFile(path, listener),
    close: () => file.close(),
  };
}

async function openRegular(path: string): Promise<{ readonly file: FileHandle; readonly key: string }> {
  const notRegular = (what: string) => new HealthctlError('CORRUPT', `${path} is ${what}`, { hint: 'move it away' });
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const reason = reasonOfForeign(path, error);
    throw reason === undefined ? error : notRegular(reason);
  }
  const stats = await file.stat();
  if (stats.isFile() || stats.isCharacterDevice()) return { file, key: `${stats.dev}:${stats.ino}` }; // /dev/null, for a terminal without a log
  await file.close();
  throw notRegular(`${kindOf(stats)}, not a regular file`);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** If the kernel has no watch left, no change is noticed. */
function watchFile(path: string, listener: () => void): () => void {
  let watcher: FSWatcher;
  try {
    watcher = watch(path, { persistent: false }, listener);
  } catch {
    return () => {};
  }
  watcher.on('error', () => watcher.close());
  return () => watcher.close();
}
