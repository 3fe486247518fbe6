import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { errnoOf } from '../lib/errors.ts';
import { cString, openLibc, systemError } from './libc.ts';

/**
 * Creates a named pipe, mode 0600.
 * @param path as bytes if it may not be UTF-8. Throws system errors (EEXIST, ENOSPC …).
 */
export function makeFifo(path: string | Buffer): void {
  const libc = openLibc();
  if (libc.func('int mkfifo(const void *path, unsigned int mode)')(cString(path), 0o600) !== 0)
    throw systemError(libc, 'mkfifo', path.toString());
}

/** mknod(2). @param mode with the type, e.g. `S_IFCHR | 0o600`. Throws system errors. */
export function makeNode(path: Buffer, mode: number, device: { readonly major: number; readonly minor: number }): void {
  const libc = openLibc();
  const { major, minor } = device;
  // gnu_dev_makedev(3), for numbers that fit into 32 bits.
  const number = ((major & 0xfff) << 8) | (minor & 0xff) | ((minor & ~0xff) << 12);
  if (
    libc.func('int mknod(const void *path, unsigned int mode, unsigned long dev)')(
      cString(path),
      mode,
      number >>> 0,
    ) !== 0
  )
    throw systemError(libc, 'mknod', path.toString());
}

/**
 * Opens a FIFO for reading, without waiting for a writer. The stream ends when the last writer closes the FIFO, but not
 * before a first writer came. It occupies no thread of libuv's pool: Linux reports no end on a pipe that never had a
 * writer.
 */
export function openFifoReader(path: string): Socket {
  return fifoReaderFrom(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
}

/** Like `openFifoReader`, for a descriptor opened without blocking; the stream closes it. */
export function fifoReaderFrom(fd: number): Socket {
  return socketFrom(fd, { readable: true, writable: false });
}

/** Keeps a FIFO from ending while its writers come and go. @returns a function that stops this; may be called twice */
export function holdFifo(path: string): () => void {
  let fd: number | undefined = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return () => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
}

/**
 * Opens a FIFO for writing if it has a reader: data written then stays available to that reader even if we close first.
 * Undefined without a reader. A write after the last reader has closed fails with EPIPE.
 */
export function openFifoWriter(path: string): Socket | undefined {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    return socketFrom(fd, { readable: false, writable: true });
  } catch (error) {
    if (errnoOf(error) === 'ENXIO') return undefined;
    throw error;
  }
}

function socketFrom(fd: number, mode: { readable: boolean; writable: boolean }): Socket {
  try {
    return new Socket({ fd, ...mode });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
