import { constants, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A file that somebody else appends to. */
export interface GrowingFile {
  /** Up to `length` bytes from `position` on; empty at the end. */
  read(position: number, length: number): Promise<Buffer>;
  /** Bytes. */
  size(): Promise<number>;
  /** Calls the listener when there may be more; not all changes need be noticed. @returns ends it */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Opens a regular file for reading; symbolic links are not followed. Throws system errors. */
export async function openGrowingFile(path: string): Promise<GrowingFile> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  return {
    read: (position, length) => readAt(file, position, length),
    size: async () => (await file.stat()).size,
    onChange: (listener) => watchFile(path, listener),
    close: () => file.close(),
  };
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Where the kernel has no watch left to give, nothing is noticed. */
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
