import type { Head } from './http-head.ts';

/** Limit on the line with the size of a chunk, with its extensions. */
const MAX_SIZE_LINE_BYTES = 1024;

/** What a piece of bytes brought. `taken` of them belong to the body; after `done` no more bytes do. */
type BodyStep =
  | { readonly kind: 'more' | 'done'; readonly taken: number }
  | { readonly kind: 'broken'; readonly reason: string };

/** Reads the body of a response from bytes as they arrive. */
export interface BodyReader {
  /** Whether the end of the connection is its end. */
  readonly endsWithConnection: boolean;
  take(bytes: Buffer): BodyStep;
}

/** RFC 9112, section 6.3. @returns undefined for a response without a body */
export function bodyReaderOf(
  { code, isChunked, length }: Head,
  onData: (bytes: Buffer) => void,
): BodyReader | undefined {
  if (code === 101 || code === 204 || code === 304) return undefined;
  if (isChunked) return createChunkedBodyReader(onData);
  return length === 0 ? undefined : createPlainBodyReader(length ?? Number.POSITIVE_INFINITY, onData);
}

/** @param length Infinity for a body that ends with the connection */
function createPlainBodyReader(length: number, onData: (bytes: Buffer) => void): BodyReader {
  let left = length;
  return {
    endsWithConnection: length === Number.POSITIVE_INFINITY,
    take: (bytes) => {
      const part = bytes.subarray(0, Math.min(left, bytes.length));
      onData(part);
      left -= part.length;
      return { kind: left === 0 ? 'done' : 'more', taken: part.length };
    },
  };
}

/** RFC 9112, section 7.1. Trailers are not read. */
function createChunkedBodyReader(onData: (bytes: Buffer) => void): BodyReader {
  const takeLine = createLineReader(MAX_SIZE_LINE_BYTES);
  let expected: 'size' | 'data' | 'end' = 'size';
  let left = 0;
  const takeData = (bytes: Buffer): BodyStep => {
    const part = bytes.subarray(0, Math.min(left, bytes.length));
    onData(part);
    left -= part.length;
    if (left === 0) expected = 'end';
    return { kind: 'more', taken: part.length };
  };
  return {
    endsWithConnection: false,
    take: (bytes) => {
      if (expected === 'data') return takeData(bytes);
      const { taken, line } = takeLine(bytes);
      if (line === 'too-long') return NO_SIZE;
      if (line === undefined) return { kind: 'more', taken };
      if (expected === 'end') {
        if (line.text !== '') return { kind: 'broken', reason: 'a chunk of the response is longer than its size' };
        expected = 'size';
        return { kind: 'more', taken };
      }
      const [, size] = /^([0-9a-fA-F]{1,13})[ \t]*(?:;.*)?$/.exec(line.text) ?? [];
      if (size === undefined) return NO_SIZE;
      left = Number.parseInt(size, 16);
      expected = 'data';
      return { kind: left === 0 ? 'done' : 'more', taken };
    },
  };
}

const NO_SIZE: BodyStep = { kind: 'broken', reason: 'a chunk of the response has no size' };

interface LineStep {
  readonly taken: number;
  /** Without its end; undefined while the line goes on. */
  readonly line: { readonly text: string } | 'too-long' | undefined;
}

function createLineReader(maxBytes: number): (bytes: Buffer) => LineStep {
  let waiting: Buffer = Buffer.alloc(0);
  return (bytes) => {
    const at = bytes.indexOf(0x0a);
    const taken = at < 0 ? bytes.length : at + 1;
    if (waiting.length + taken > maxBytes) return { taken: 0, line: 'too-long' };
    waiting = Buffer.concat([waiting, bytes.subarray(0, taken)]);
    if (at < 0) return { taken, line: undefined };
    const text = waiting.toString('latin1').replace(/\r?\n$/, '');
    waiting = Buffer.alloc(0);
    return { taken, line: { text } };
  };
}
