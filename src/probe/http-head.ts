import { SPEAKS_TLS } from './channel.ts';
import { type Peer, peerFrom, shownBytes } from './peer.ts';

/**
 * Limit on the status line and header fields of a response, with preceding 1xx responses. Node.js's own client has the
 * same limit.
 */
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_REASON_CHARACTERS = 128;
const PREFIX = 'HTTP/1.';

/** The head of a response, without the fields that a check does not need. */
export interface Head {
  readonly kind: 'head';
  readonly code: number;
  readonly reason: string;
  readonly isChunked: boolean;
  /** Of the body; undefined when the end of the connection is its end. */
  readonly length: number | undefined;
}

/** What a piece of bytes brought. `taken` of them belong to the head. */
type HeadStep =
  | { readonly kind: 'more'; readonly taken: number }
  | { readonly kind: 'whole'; readonly taken: number; readonly head: Head }
  | { readonly kind: 'broken'; readonly reason: string };

/** Reads the head of a response from bytes as they arrive, with the 1xx responses before it. */
export interface HeadReader {
  /** Not to be called again after a head was whole or broken. */
  take(bytes: Buffer): HeadStep;
}

export function createHeadReader(): HeadReader {
  /** The beginning of a head that is not whole yet. */
  let waiting: Buffer = Buffer.alloc(0);
  /** Of the 1xx responses so far. */
  let bytesBefore = 0;
  const wait = (all: Buffer, taken: number): HeadStep => {
    waiting = Buffer.from(all);
    return { kind: 'more', taken };
  };
  return {
    take: (bytes) => {
      const known = waiting.length;
      const all = known === 0 ? bytes : Buffer.concat([waiting, bytes.subarray(0, MAX_HEAD_BYTES)]);
      if (!isPrefixOfHttp(all)) {
        const peer = peerFrom(all);
        return peer ? { kind: 'broken', reason: wrongPeerText(peer, all) } : wait(all, bytes.length);
      }
      const length = headLength(all, Math.max(0, known - 3));
      if (bytesBefore + (length ?? all.length) > MAX_HEAD_BYTES)
        return { kind: 'broken', reason: `the head of the response is larger than ${MAX_HEAD_BYTES} bytes` };
      if (length === undefined) return wait(all, bytes.length);
      waiting = Buffer.alloc(0);
      bytesBefore += length;
      const taken = length - known;
      const head = parseHead(all.toString('latin1', 0, length));
      if (head.kind === 'broken') return head;
      return head.code >= 200 || head.code === 101 ? { kind: 'whole', taken, head } : { kind: 'more', taken };
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
