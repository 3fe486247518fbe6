import { closeSync, constants, fstatSync, lstatSync, readSync, type Stats } from 'node:fs';
import type { FaultReporter } from '../lib/fault-reporter.ts';
import { openPlain } from '../system/own-file.ts';
import { firstData } from '../system/sparse.ts';
import { cutPieces } from './json-log.ts';
import { readLastTimes, readTimes } from './logs/log-index-file.ts';
import { type OutputStream, outputFilesOf } from './logs/output-files.ts';

/** A position in a stream. */
export interface Position {
  /** Inode of its file. */
  readonly inode: number;
  readonly offset: number;
}

/** A line, or a piece of a long one; its position is the end. */
export interface Piece extends Position {
  readonly stream: OutputStream;
  readonly bytes: Buffer;
  readonly atMs: number;
}

export interface Chunk {
  readonly pieces: readonly Piece[];
  /** Whether the stream ends here at present. */
  readonly isLast: boolean;
}

/** Bytes of a stream per chunk: reading and writing as much takes some 5 ms. */
const CHUNK_BYTES = 256 * 1024;
const BLOCK_BYTES = 512; // stat(2)
const NEWLINE = 0x0a;

export interface ChunkRequest extends FaultReporter {
  readonly dataDir: string;
  readonly stream: OutputStream;
  /** Undefined: from the beginning. */
  readonly from: Position | undefined;
  /** Whether the container has ended. */
  readonly isOver: boolean;
}

/** The data after a position in a stream, up to a limit; undefined if there is none. Throws system errors. */
export function nextChunk(request: ChunkRequest): Chunk | undefined {
  const { dataDir, stream, from } = request;
  const files = outputFilesOf(dataDir, stream).flatMap((path) => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isFile() ? [{ path, inode: stats.ino, size: stats.size }] : [];
  });
  const first = Math.max(0, from ? files.findIndex(({ inode }) => inode === from.inode) : 0);
  for (const [index, file] of files.entries()) {
    // A file that has become shorter was emptied by somebody: what it holds is new.
    const offset = file.inode === from?.inode && from.offset <= file.size ? from.offset : 0;
    if (index < first || offset >= file.size) continue;
    return chunkOf(request, { path: file.path, offset, isLastFile: index === files.length - 1 });
  }
  return undefined;
}

function chunkOf(
  { stream, isOver, onFault }: ChunkRequest,
  from: { readonly path: string; readonly offset: number; readonly isLastFile: boolean },
): Chunk {
  const fd = openPlain(from.path, constants.O_RDONLY);
  try {
    const stats = fstatSync(fd);
    const start = afterHole(fd, stats, from.offset);
    const bytes = readAt(fd, start, Math.min(CHUNK_BYTES, stats.size - start));
    const isAtEnd = start + bytes.length >= stats.size;
    // Only data far behind the end needs the whole index.
    const times =
      stats.size - start > CHUNK_BYTES ? readTimes(from.path, { onFault }) : readLastTimes(from.path, { onFault });
    const latestMs = Math.max(stats.mtimeMs, times.lastMs);
    const pieces = cutPieces(bytes, isAtEnd && (isOver || !from.isLastFile)).map((piece) => ({
      stream,
      inode: stats.ino,
      offset: start + piece.end,
      bytes: piece.bytes,
      atMs: times.at(start + piece.end)?.atMs ?? latestMs,
    }));
    return { pieces, isLast: isAtEnd && from.isLastFile };
  } finally {
    closeSync(fd);
  }
}

/** If a limit has dropped the following data, the beginning of the first whole line after it. */
function afterHole(fd: number, { size, blocks }: Stats, offset: number): number {
  if (blocks * BLOCK_BYTES >= size) return offset;
  const data = firstData(fd, offset, size);
  if (data === offset) return offset;
  const newline = readAt(fd, data, Math.min(CHUNK_BYTES, size - data)).indexOf(NEWLINE);
  return newline < 0 ? data : data + newline + 1;
}

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(Math.max(0, length));
  let got = 0;
  while (got < buffer.length) {
    const read = readSync(fd, buffer, got, buffer.length - got, position + got);
    if (read === 0) break;
    got += read;
  }
  return buffer.subarray(0, got);
}
