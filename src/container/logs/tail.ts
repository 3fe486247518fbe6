import type { GrowingFile } from './growing-file.ts';

/** A part of a stream: one of its files, between two offsets. */
export interface StoredPart {
  readonly file: Pick<GrowingFile, 'read'>;
  /** Bytes before it were dropped. Default 0. */
  readonly from?: number;
  /** The offset after the last byte that counts. */
  readonly size: number;
}

/** A position in a stream: the index of the part, and the offset in it. */
export interface StreamPosition {
  readonly part: number;
  readonly offset: number;
}

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * The position of the last `lines` lines of a stream, with its parts taken as one text. Text after the last newline is
 * a line too. Reads backwards, a block at a time.
 */
export async function findTail(parts: readonly StoredPart[], lines: number): Promise<StreamPosition> {
  if (lines <= 0) return { part: parts.length, offset: 0 };
  // The newline at the very end closes the last line and begins none.
  let wanted = lines;
  let isEnd = true;
  for (let part = parts.length - 1; part >= 0; part -= 1) {
    const { file, size, from = 0 } = parts[part] ?? { file: undefined, size: 0 };
    for (let end = size; end > from && file; ) {
      const start = Math.max(from, end - BLOCK_BYTES);
      const block = await readFully(file, start, end - start);
      for (let at = block.lastIndexOf(NEWLINE); at >= 0; at = at > 0 ? block.lastIndexOf(NEWLINE, at - 1) : -1) {
        const closesLast = isEnd && start + at === size - 1;
        if (!closesLast) wanted -= 1;
        if (wanted === 0) return { part, offset: start + at + 1 };
      }
      end = start;
      isEnd = isEnd && end === size;
    }
    if (size > from) isEnd = false;
  }
  return { part: 0, offset: parts[0]?.from ?? 0 };
}

/**
 * The offset after the first newline from `from` on; `from` if there is none within a block: then no line start can be
 * found.
 */
export async function nextLine({ file, from = 0, size }: StoredPart): Promise<number> {
  const block = await readFully(file, from, Math.min(BLOCK_BYTES, size - from));
  const newline = block.indexOf(NEWLINE);
  return newline < 0 ? from : from + newline + 1;
}

/** A read may return less than requested; nothing if the file was truncated meanwhile. */
async function readFully(file: Pick<GrowingFile, 'read'>, start: number, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let got = 0; got < length; ) {
    const chunk = await file.read(start + got, length - got);
    if (chunk.length === 0) break;
    chunks.push(chunk);
    got += chunk.length;
  }
  return Buffer.concat(chunks);
}
