import type { GrowingFile } from './growing-file.ts';

/** A part of a stream: one of its files, up to an offset. */
export interface StoredPart {
  readonly file: Pick<GrowingFile, 'read'>;
  /** Bytes of the file that count. */
  readonly size: number;
}

/** A place in a stream: the index of the part, and the offset in it. */
export interface Place {
  readonly part: number;
  readonly offset: number;
}

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Where the last `lines` lines of a stream begin, its parts taken as one text. What follows the last newline is a line too. Reads from the
 * end, a block at a time.
 */
export async function findTail(parts: readonly StoredPart[], lines: number): Promise<Place> {
  if (lines <= 0) return { part: parts.length, offset: 0 };
  // The newline at the very end closes the last line and begins none.
  let wanted = lines;
  let isEnd = true;
  for (let part = parts.length - 1; part >= 0; part -= 1) {
    const { file, size } = parts[part] ?? { file: undefined, size: 0 };
    for (let end = size; end > 0 && file; ) {
      const start = Math.max(0, end - BLOCK_BYTES);
      const block = await readFully(file, start, end - start);
      for (let at = block.lastIndexOf(NEWLINE); at >= 0; at = at > 0 ? block.lastIndexOf(NEWLINE, at - 1) : -1) {
        const closesLast = isEnd && start + at === size - 1;
        if (!closesLast) wanted -= 1;
        if (wanted === 0) return { part, offset: start + at + 1 };
      }
      end = start;
      isEnd = isEnd && end === size;
    }
    if (size > 0) isEnd = false;
  }
  return { part: 0, offset: 0 };
}

/** A read may give less than asked for; nothing at all when the file was emptied meanwhile. */
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
