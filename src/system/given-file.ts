import { closeSync, createReadStream, fstatSync, openSync, type Stats } from 'node:fs';
import type { Readable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';
import { type ErrorCode, errnoOf, fileReasonOf, HealthctlError } from '../lib/errors.ts';
import { fifoReaderFrom } from './fifo.ts';
import { MAX_GIVEN_BYTES, OPEN_WITHOUT_WAITING, readBounded, tooLarge } from './plain-file.ts';

/**
 * Reads a file that a user names and that may be a pipe or a terminal, such as `<(…)` of a shell: for these it waits,
 * until `signal` fires.
 *
 * Throws NOT_FOUND, DENIED and INVALID in Docker's words (`open PATH: no such file or directory`), INVALID for content
 * larger than MAX_GIVEN_BYTES, ABORTED.
 */
export async function readGivenFile(path: string, signal?: AbortSignal): Promise<Buffer> {
  const { fd, stats } = openGiven(path);
  try {
    if (stats.isFIFO() || isatty(fd)) return await collect(path, streamFrom(fd, stats), signal);
  } catch (error) {
    throw named(path, error);
  }
  try {
    return readBounded(path, fd);
  } catch (error) {
    throw named(path, error);
  } finally {
    closeSync(fd);
  }
}

/** The kernel's error of a read does not name the file. */
function named(path: string, cause: unknown): unknown {
  if (cause instanceof HealthctlError || errnoOf(cause) === undefined) return cause;
  return new HealthctlError('INVALID', `read ${path}: ${fileReasonOf(cause)}`, { cause });
}

/**
 * A stream of a file of any size. A pipe waits for its writer without occupying a thread, and can be destroyed
 * meanwhile. Throws like readGivenFile.
 */
export function openGivenStream(path: string): Readable {
  const { fd, stats } = openGiven(path);
  if (stats.isFIFO() || isatty(fd)) return streamFrom(fd, stats);
  return createReadStream('', { fd, highWaterMark: STREAM_CHUNK_BYTES });
}

const STREAM_CHUNK_BYTES = 1 << 18;

function openGiven(path: string): { fd: number; stats: Stats } {
  let fd: number;
  try {
    fd = openSync(path, OPEN_WITHOUT_WAITING);
  } catch (cause) {
    throw new HealthctlError(codeOf(cause), `open ${path}: ${fileReasonOf(cause)}`, { cause });
  }
  const stats = fstatSync(fd);
  if (!stats.isDirectory()) return { fd, stats };
  closeSync(fd);
  throw new HealthctlError('INVALID', `read ${path}: is a directory`);
}

function codeOf(cause: unknown): ErrorCode {
  const errno = errnoOf(cause);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return 'NOT_FOUND';
  return errno === 'EACCES' || errno === 'EPERM' ? 'DENIED' : 'INVALID';
}

function streamFrom(fd: number, stats: Stats): Readable {
  return stats.isFIFO() ? fifoReaderFrom(fd) : new ReadStream(fd);
}

function collect(path: string, stream: Readable, signal: AbortSignal | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const fail = (error: Error): void => void stream.destroy(error);
    const onAbort = (): void => fail(new HealthctlError('ABORTED', `reading ${path} was cancelled`));
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_GIVEN_BYTES) fail(tooLarge(path));
      else chunks.push(chunk);
    });
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
    stream.once('close', () => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
