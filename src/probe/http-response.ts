import { createBoundedOutput, MAX_OUTPUT_BYTES } from './bounded-output.ts';
import { SPEAKS_TLS } from './channel.ts';
import { type Peer, peerFrom, shownBytes } from './peer.ts';

/**
 * Limit on the status line and header fields of a response, with preceding 1xx responses. Node.js's own client has the
 * same limit.
 */
const MAX_HEAD_BYTES = 16 * 1024;
/** Limit on the line with the size of a chunk, with its extensions. */
const MAX_SIZE_LINE_BYTES = 1024;
/** Limit on a whole response: without it, chunks of one byte with long extensions could make one of megabytes. */
const MAX_BYTES = 64 * 1024;
const MAX_REASON_CHARACTERS = 128;
const PREFIX = 'HTTP/1.';

/**
 * Reads one response to a GET (RFC 9112) from bytes as they arrive, in bounded memory. It keeps 16 KiB of a head, and
 * as much of a body as a result can store; with more it is done. A response of more than 64 KiB without an end is
 * broken.
 */
export interface HttpResponseReader {
  /** Processes received bytes. Ignores them once the state is not `reading`. */
  feed(bytes: Buffer): void;
  /** The connection has ended; this also ends a body without a length. */
  end(): void;
  state(): ResponseState;
  /** 0 before the head has arrived. */
  statusCode(): number;
  /** The text read so far, e.g. `HTTP 503 Service Unavailable: try later`; empty before the head has arrived. */
  text(): string;
}

type ResponseState =
  | { readonly kind: 'reading' }
  | { readonly kind: 'done' }
  /** @see reason a clause that says what is wrong with the response */
  | { readonly kind: 'broken'; readonly reason: string };

/** The part of the response that the next bytes belong to. */
type Expected =
  | { readonly kind: 'head' }
  /** `left` bytes of a body; Infinity for a body that ends with the connection. */
  | { readonly kind: 'body'; readonly left: number }
  | { readonly kind: 'chunk-size' }
  | { readonly kind: 'chunk'; readonly left: number }
  | { readonly kind: 'chunk-end' };

const READING: ResponseState = { kind: 'reading' };
const DONE: ResponseState = { kind: 'done' };
const broken = (reason: string): ResponseState => ({ kind: 'broken', reason });

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createHttpResponseReader(): HttpResponseReader {
  const body = createBoundedOutput();
  let bodyBytes = 0;
  let state = READING;
  let expected: Expected = { kind: 'head' };
  let status = { code: 0, reason: '' };
  /** The beginning of an incomplete head or line. */
  let waiting: Buffer = Buffer.alloc(0);
  let headBytes = 0;
  let bytesTaken = 0;

  /** Consumes bytes to the end of the expected part, and returns their number. */
  const takeHead = (bytes: Buffer): number => {
    const known = waiting.length;
    const all = known === 0 ? bytes : Buffer.concat([waiting, bytes.subarray(0, MAX_HEAD_BYTES)]);
    if (!isPrefixOfHttp(all)) {
      const peer = peerFrom(all);
      if (peer) return fail(wrongPeerText(peer, all));
      waiting = Buffer.from(all);
      return bytes.length;
    }
    const length = headLength(all, Math.max(0, known - 3));
    if (headBytes + (length ?? all.length) > MAX_HEAD_BYTES)
      return fail(`the head of the response is larger than ${MAX_HEAD_BYTES} bytes`);
    if (length === undefined) {
      waiting = Buffer.from(all);
      return bytes.length;
    }
    waiting = Buffer.alloc(0);
    headBytes += length;
    const head = parseHead(all.toString('latin1', 0, length));
    if (head.kind === 'broken') return fail(head.reason);
    if (head.code >= 200 || head.code === 101) {
      status = head;
      expected = bodyOf(head);
    }
    return length - known;
  };

  const takeBody = (bytes: Buffer, left: number): number => {
    const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
    body.add(part);
    bodyBytes += part.length;
    if (bodyBytes > MAX_OUTPUT_BYTES) state = DONE;
    return part.length;
  };

  const takeLine = (bytes: Buffer): { readonly taken: number; readonly line: string | undefined } => {
    const at = bytes.indexOf(0x0a);
    const taken = at < 0 ? bytes.length : at + 1;
    if (waiting.length + taken > MAX_SIZE_LINE_BYTES)
      return { taken: fail('a chunk of the response has no size'), line: undefined };
    waiting = Buffer.concat([waiting, bytes.subarray(0, taken)]);
    if (at < 0) return { taken, line: undefined };
    const line = waiting.toString('latin1').replace(/\r?\n$/, '');
    waiting = Buffer.alloc(0);
    return { taken, line };
  };

  const takeChunkSize = (bytes: Buffer): number => {
    const { taken, line } = takeLine(bytes);
    if (line === undefined) return taken;
    const [, size] = /^([0-9a-fA-F]{1,13})[ \t]*(?:;.*)?$/.exec(line) ?? [];
    if (size === undefined) return fail('a chunk of the response has no size');
    const left = Number.parseInt(size, 16);
    if (left === 0) state = DONE;
    else expected = { kind: 'chunk', left };
    return taken;
  };

  const takeChunkEnd = (bytes: Buffer): number => {
    const { taken, line } = takeLine(bytes);
    if (line === undefined) return taken;
    if (line !== '') return fail('a chunk of the response is longer than its size');
    expected = { kind: 'chunk-size' };
    return taken;
  };

  const fail = (reason: string): number => {
    state = broken(reason);
    return 0;
  };

  const take = (bytes: Buffer): number => {
    switch (expected.kind) {
      case 'head':
        return takeHead(bytes);
      case 'body': {
        const taken = takeBody(bytes, expected.left);
        expected = { kind: 'body', left: expected.left - taken };
        return taken;
      }
      case 'chunk-size':
        return takeChunkSize(bytes);
      case 'chunk': {
        const taken = takeBody(bytes, expected.left);
        const left = expected.left - taken;
        expected = left > 0 ? { kind: 'chunk', left } : { kind: 'chunk-end' };
        return taken;
      }
      case 'chunk-end':
        return takeChunkEnd(bytes);
    }
  };

  const isBodyWhole = () => state.kind === 'reading' && expected.kind === 'body' && expected.left === 0;

  return {
    feed: (bytes) => {
      let rest = bytes;
      while (state.kind === 'reading' && rest.length > 0) {
        const length = take(rest);
        rest = rest.subarray(length);
        bytesTaken += length;
        if (isBodyWhole()) state = DONE;
        if (state.kind === 'reading' && bytesTaken > MAX_BYTES)
          fail(`the response has no end in its first ${MAX_BYTES} bytes`);
      }
    },
    end: () => {
      if (state.kind !== 'reading') return;
      const isWhole = expected.kind === 'body' && expected.left === Number.POSITIVE_INFINITY;
      const what = status.code === 0 ? 'before the response' : 'before the end of the response';
      state = isWhole ? DONE : broken(`the connection ended ${what}`);
    },
    state: () => state,
    statusCode: () => status.code,
    text: () => {
      if (status.code === 0) return '';
      const line = `HTTP ${status.code}${status.reason === '' ? '' : ` ${status.reason}`}`;
      return bodyBytes === 0 ? line : `${line}: ${body.text()}`;
    },
  };
}

function isPrefixOfHttp(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, PREFIX.length);
  return bytes.toString('latin1', 0, length) === PREFIX.slice(0, length);
}

function wrongPeerText(peer: Peer, bytes: Buffer): string {
  switch (peer.kind) {
    case 'tls':
      return SPEAKS_TLS;
    case 'http/2':
      return 'the server speaks HTTP/2 and not HTTP/1.1';
    case 'http/1':
    case 'other':
      return `the answer is not HTTP/1.1: ${shownBytes(bytes)}`;
  }
}

/** Length with the empty line; undefined before it has arrived. A bare LF also ends a line (RFC 9112, section 2.2). */
function headLength(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(0x0a, from); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at + 1] === 0x0a) return at + 2;
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3;
  }
  return undefined;
}

interface Head {
  readonly kind: 'head';
  readonly code: number;
  readonly reason: string;
  readonly isChunked: boolean;
  /** Length of the body; undefined if it ends with the connection. */
  readonly length: number | undefined;
}

/** @param text the head, with the empty line */
function parseHead(text: string): Head | { readonly kind: 'broken'; readonly reason: string } {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const [, code, reason = ''] = /^HTTP\/1\.\d (\d{3})(?: (.*))?$/.exec(first) ?? [];
  if (code === undefined || Number(code) < 100)
    return { kind: 'broken', reason: `the answer is not HTTP/1.1: ${shownBytes(Buffer.from(first, 'latin1'))}` };
  const lengths = valuesOf(lines, 'content-length');
  if (lengths.some((length) => !/^\d{1,15}$/.test(length) || length !== lengths[0]))
    return { kind: 'broken', reason: 'the response has no valid Content-Length' };
  const encodings = valuesOf(lines, 'transfer-encoding');
  return {
    kind: 'head',
    code: Number(code),
    reason: reason.trim().slice(0, MAX_REASON_CHARACTERS),
    isChunked: /(^|[\s,])chunked$/i.test(encodings.join(',')),
    length: encodings.length > 0 || lengths[0] === undefined ? undefined : Number(lengths[0]),
  };
}

function valuesOf(lines: readonly string[], name: string): readonly string[] {
  return lines.flatMap((line) => {
    const at = line.indexOf(':');
    return line.slice(0, Math.max(at, 0)).toLowerCase() === name ? [line.slice(at + 1).trim()] : [];
  });
}

/** RFC 9112, section 6.3. */
function bodyOf({ code, isChunked, length }: Head): Expected {
  if (code === 101 || code === 204 || code === 304) return { kind: 'body', left: 0 };
  if (isChunked) return { kind: 'chunk-size' };
  return { kind: 'body', left: length ?? Number.POSITIVE_INFINITY };
}
