import type { LogAttributes } from '../record/log-attributes.ts';
import { logTimestamp } from './logs/log-printer.ts';
import type { OutputStream } from './logs/output-files.ts';

/** moby: daemon/logger/copier.go: longer lines become several entries; only the last ends with a newline. */
const MAX_ENTRY_BYTES = 16 * 1024;

const NEWLINE = 0x0a;

/** A line, or a piece of a long one. */
export interface JsonLogPiece {
  readonly bytes: Buffer;
  /** Its end, as an offset from the beginning of the given bytes. */
  readonly end: number;
}

/**
 * Splits bytes into lines, and long lines into pieces.
 *
 * @param isWhole whether nothing follows: then a last line without a newline counts; otherwise it is left for later
 */
export function cutPieces(bytes: Buffer, isWhole: boolean): readonly JsonLogPiece[] {
  const pieces: JsonLogPiece[] = [];
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.subarray(start, start + MAX_ENTRY_BYTES + 1).indexOf(NEWLINE);
    const end = newline < 0 ? Math.min(bytes.length, start + MAX_ENTRY_BYTES) : start + newline + 1;
    if (newline < 0 && end - start < MAX_ENTRY_BYTES && !isWhole) break;
    pieces.push({ bytes: bytes.subarray(start, end), end });
    start = end;
  }
  return pieces;
}

/** A line of Docker's json-file: `{"log":"text\n","stream":"stdout","time":"…"}`. */
export function jsonLogEntry(entry: {
  readonly bytes: Buffer;
  readonly stream: OutputStream;
  readonly atMs: number;
  readonly attributes: LogAttributes;
}): Buffer {
  const { bytes, stream, atMs, attributes } = entry;
  const json = {
    log: bytes.toString('utf8'),
    stream,
    ...(Object.keys(attributes).length > 0 ? { attrs: attributes } : {}),
    time: logTimestamp(atMs),
  };
  return Buffer.from(`${JSON.stringify(json)}\n`);
}
