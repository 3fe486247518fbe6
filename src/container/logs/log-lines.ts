import { copyRange } from './follow.ts';
import type { GrowingFile } from './growing-file.ts';
import type { LogTime, LogTimes } from './log-times.ts';
import type { StoredPart, StreamPosition } from './tail.ts';

/** A line of a stream, or a piece of a long one. */
export interface LogLine {
  /** With its newline, if it has one. */
  readonly bytes: Buffer;
  /** Whether a line begins here. */
  readonly isHead: boolean;
  readonly time: LogTime;
}

export interface TimedPart extends StoredPart {
  readonly file: GrowingFile;
  readonly times: LogTimes;
  /** Time of the last write, for bytes without a recorded time. */
  readonly writtenAtMs: number;
}

const NEWLINE = 0x0a;

/** Splits bytes after each newline. */
export function* piecesOf(bytes: Buffer): Generator<{ readonly bytes: Buffer; readonly end: number }> {
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    yield { bytes: bytes.subarray(start, end), end };
    start = end;
  }
}

export const endsLine = (bytes: Buffer): boolean => bytes.at(-1) === NEWLINE;

/**
 * The lines of a stream from a position on, with one block at a time in memory. Output of unknown time came before the
 * last write to its file.
 */
export async function* linesOf(
  parts: readonly TimedPart[],
  start: StreamPosition,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  let isHead = true;
  for (const [index, part] of parts.entries()) {
    if (index < start.part) continue;
    for await (const block of blocksOf(part, index === start.part ? start.offset : (part.from ?? 0), signal)) {
      for (const { bytes, end } of piecesOf(block.bytes)) {
        const time = part.times.at(block.from + end) ?? latestTimeOf(part);
        yield { bytes, isHead, time };
        isHead = endsLine(bytes);
      }
    }
  }
}

/**
 * Indexes are written with a delay: output younger than the index came just before the last write, unless the two are
 * far apart.
 */
const INDEX_LAG_MS = 2_000;

function latestTimeOf({ times, writtenAtMs }: TimedPart): LogTime {
  return { atMs: Math.max(writtenAtMs, times.lastMs), isExact: writtenAtMs - times.lastMs < INDEX_LAG_MS };
}

interface Block {
  readonly from: number;
  readonly bytes: Buffer;
}

async function* blocksOf({ file, size }: TimedPart, from: number, signal: AbortSignal): AsyncGenerator<Block> {
  const blocks: Buffer[] = [];
  const write = async (bytes: Buffer): Promise<void> => void blocks.push(bytes);
  for (let position = from; position < size && !signal.aborted; ) {
    const next = await copyRange(file, { from: position, to: Math.min(size, position + BLOCK_BYTES), write, signal });
    if (next === position) return;
    const bytes = Buffer.concat(blocks.splice(0));
    if (bytes.length > 0) yield { from: next - bytes.length, bytes };
    position = next;
  }
}

const BLOCK_BYTES = 64 * 1024;

/** A line with the index of its stream. */
export interface MergedLine extends LogLine {
  readonly stream: number;
}

/** Merges the lines of several streams by time; at equal times the earlier stream comes first. Lines stay whole. */
export async function* mergeLines(streams: readonly AsyncGenerator<LogLine>[]): AsyncGenerator<MergedLine> {
  const next = await Promise.all(streams.map(async (lines) => (await lines.next()).value as LogLine | undefined));
  let last: MergedLine | undefined;
  for (;;) {
    const stream = earliest(next, last);
    const line = next[stream];
    if (!line) return;
    last = { ...line, stream };
    yield last;
    next[stream] = (await streams[stream]?.next())?.value as LogLine | undefined;
  }
}

function earliest(next: readonly (LogLine | undefined)[], last: MergedLine | undefined): number {
  // The continuation of a line follows it directly.
  if (last && !endsLine(last.bytes) && next[last.stream]?.isHead === false) return last.stream;
  let found = -1;
  for (const [stream, line] of next.entries()) {
    if (line && line.time.atMs < (next[found]?.time.atMs ?? Number.POSITIVE_INFINITY)) found = stream;
  }
  return found;
}
