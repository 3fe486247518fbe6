import { isIPv4 } from 'node:net';
import { address6Bytes } from '../network/subnet6.ts';

// RFC 1035, 6891. Only what a server needs that answers for a few names and passes everything else on unchanged: the
// question, and how large an answer may be.

export const TYPE = { A: 1, PTR: 12, AAAA: 28, OPT: 41 } as const;
export const RCODE = { none: 0, format: 1, failure: 2, noName: 3, notImplemented: 4 } as const;
const CLASS_IN = 1;

export const HEADER_BYTES = 12;
/** Of an answer over UDP to a client that names no size. */
const PLAIN_BYTES = 512;
/** Of any answer of ours over UDP: the recommendation of dnsflagday.net/2020. */
const MAX_UDP_BYTES = 1232;
/** Of a query; more is not read. */
const MAX_QUERY_BYTES = 4096;
export const MAX_MESSAGE_BYTES = 65_535;
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;

const QR = 0x8000;
const OPCODE = 0x7800;
const TC = 0x0200;
const RD = 0x0100;
const RA = 0x0080;

export interface Query {
  /** The whole message. */
  readonly bytes: Buffer;
  readonly id: number;
  /** In lower case, without the last dot. A dot inside of a label is `\.`, so that it is no separator. */
  readonly name: string;
  readonly type: number;
  readonly isInternet: boolean;
  /** Where the question ends. */
  readonly end: number;
  /** The largest answer over UDP that the client takes. */
  readonly statedBytes: number;
  /** The largest answer over UDP that we make: one that no network splits. */
  readonly udpBytes: number;
  /** It has an OPT record, so its answer needs one too. */
  readonly hasOptions: boolean;
}

/** A record of an answer: an address, or the name for PTR. */
export interface Answer {
  readonly type: typeof TYPE.A | typeof TYPE.AAAA | typeof TYPE.PTR;
  readonly data: string;
}

export type Parsed =
  | { readonly kind: 'query'; readonly query: Query }
  /** Not a query that we understand, but the client gets an answer. */
  | { readonly kind: 'refused'; readonly reply: Buffer }
  /** Not a query at all. An answer to an answer could go back and forth for ever. */
  | { readonly kind: 'ignored' };

/** Pure; never throws, whatever the bytes are. */
export function parseQuery(bytes: Buffer): Parsed {
  if (bytes.length < HEADER_BYTES || (bytes.readUInt16BE(2) & QR) !== 0) return { kind: 'ignored' };
  if ((bytes.readUInt16BE(2) & OPCODE) !== 0) return refused(bytes, RCODE.notImplemented);
  if (bytes.length > MAX_QUERY_BYTES || bytes.readUInt16BE(4) !== 1) return refused(bytes, RCODE.format);
  const name = readName(bytes, HEADER_BYTES);
  if (!name || name.end + 4 > bytes.length) return refused(bytes, RCODE.format);
  const end = name.end + 4;
  const options = readOptions(bytes, end);
  if (!options) return refused(bytes, RCODE.format);
  return {
    kind: 'query',
    query: {
      ...{ bytes, end, ...options },
      id: bytes.readUInt16BE(0),
      name: name.text,
      type: bytes.readUInt16BE(name.end),
      isInternet: bytes.readUInt16BE(name.end + 2) === CLASS_IN,
    },
  };
}

function refused(bytes: Buffer, rcode: number): Parsed {
  const reply = Buffer.alloc(HEADER_BYTES);
  bytes.copy(reply, 0, 0, 2);
  reply.writeUInt16BE(QR | (bytes.readUInt16BE(2) & (OPCODE | RD)) | RA | rcode, 2);
  return { kind: 'refused', reply };
}

/** A name without compression: a question has nothing before it to point to. */
function readName(bytes: Buffer, start: number): { readonly text: string; readonly end: number } | undefined {
  const labels: string[] = [];
  for (let at = start; at < bytes.length; ) {
    const length = bytes[at] ?? 0;
    if (length === 0) return { text: labels.join('.'), end: at + 1 };
    if (length > MAX_LABEL_BYTES || at + 1 + length - start >= MAX_NAME_BYTES) return undefined;
    const label = bytes.toString('latin1', at + 1, at + 1 + length);
    labels.push(label.toLowerCase().replaceAll(/[\\.]/g, '\\$&'));
    at += 1 + length;
  }
  return undefined;
}

/** Reads the records after the question, of which a query has few: the OPT record tells the size. */
function readOptions(bytes: Buffer, start: number): Pick<Query, 'statedBytes' | 'udpBytes' | 'hasOptions'> | undefined {
  let rest = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  let found: number | undefined;
  for (let at = start; rest > 0; rest -= 1) {
    const end = skipName(bytes, at);
    if (end === undefined || end + 10 > bytes.length) return undefined;
    if (bytes.readUInt16BE(end) === TYPE.OPT) found = bytes.readUInt16BE(end + 2);
    at = end + 10 + bytes.readUInt16BE(end + 8);
    if (at > bytes.length) return undefined;
  }
  const hasOptions = found !== undefined;
  const statedBytes = Math.max(found ?? PLAIN_BYTES, PLAIN_BYTES);
  return { hasOptions, statedBytes, udpBytes: Math.min(statedBytes, MAX_UDP_BYTES) };
}

/** Where a name ends, which may end with a pointer: that is not followed. */
function skipName(bytes: Buffer, start: number): number | undefined {
  for (let at = start; at < bytes.length; ) {
    const length = bytes[at] ?? 0;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > MAX_LABEL_BYTES) return undefined;
    at += 1 + length;
  }
  return undefined;
}

/**
 * An answer of ours. Records that do not fit are left out, and the answer says so: the client asks again over TCP.
 *
 * @param ttlS how long a client may keep the records
 */
export function replyTo(
  query: Query,
  reply: { readonly rcode: number; readonly answers: readonly Answer[]; readonly ttlS: number },
  maxBytes: number,
): Buffer {
  const options = query.hasOptions ? OPTIONS : NOTHING;
  const head = Buffer.from(query.bytes.subarray(0, query.end));
  const records: Buffer[] = [];
  let room = maxBytes - head.length - options.length;
  let isCut = false;
  for (const answer of reply.answers) {
    const record = recordOf(answer, reply.ttlS);
    if (!record) continue;
    isCut = record.length > room;
    if (isCut) break;
    room -= record.length;
    records.push(record);
  }
  head.writeUInt16BE(QR | (head.readUInt16BE(2) & RD) | RA | (isCut ? TC : 0) | reply.rcode, 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(query.hasOptions ? 1 : 0, 10);
  return Buffer.concat([head, ...records, options]);
}

const NOTHING = Buffer.alloc(0);
/** An OPT record: the root, the type, our size, no flags, no options. */
const OPTIONS = Buffer.from([0, 0, TYPE.OPT, MAX_UDP_BYTES >> 8, MAX_UDP_BYTES & 0xff, 0, 0, 0, 0, 0, 0]);

/** Undefined for data that cannot be written. */
function recordOf({ type, data }: Answer, ttlS: number): Buffer | undefined {
  const bytes = type === TYPE.PTR ? nameBytes(data) : addressBytes(type, data);
  if (!bytes) return undefined;
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(0xc000 | HEADER_BYTES, 0); // the name of the question
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(CLASS_IN, 4);
  head.writeUInt32BE(ttlS, 6);
  head.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([head, bytes]);
}

function addressBytes(type: number, address: string): Buffer | undefined {
  if (type === TYPE.AAAA) return address6Bytes(address);
  return isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : undefined;
}

function nameBytes(name: string): Buffer | undefined {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'));
  if (labels.some(({ length }) => length === 0 || length > MAX_LABEL_BYTES)) return undefined;
  const bytes = Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.alloc(1)]);
  return bytes.length > MAX_NAME_BYTES ? undefined : bytes;
}

/** The question as another server gets it, under an id that only it and we know. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** Whether bytes answer this question, which was sent with that id. A server may write the name in another case. */
export function answers(bytes: Buffer, query: Query, id: number): boolean {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== id) return false;
  if ((bytes.readUInt16BE(2) & (QR | OPCODE)) !== QR) return false;
  const rcode = rcodeOf(bytes);
  // A server that did not understand the question may leave it out.
  if (bytes.readUInt16BE(4) === 0) return rcode !== RCODE.none && rcode !== RCODE.noName;
  const name = bytes.readUInt16BE(4) === 1 ? readName(bytes, HEADER_BYTES) : undefined;
  return (
    name !== undefined && name.text === query.name && bytes.subarray(name.end, name.end + 4).equals(questionTail(query))
  );
}

const questionTail = ({ bytes, end }: Query): Buffer => bytes.subarray(end - 4, end);

export const rcodeOf = (bytes: Buffer): number => bytes.readUInt16BE(2) & 0xf;

/** An answer that is too long for UDP, without its records: the client asks again over TCP. */
export function cutReply(answer: Buffer, { end }: Query): Buffer {
  const reply = Buffer.from(answer.subarray(0, end));
  reply.writeUInt16BE(reply.readUInt16BE(2) | TC, 2);
  reply.fill(0, 6, HEADER_BYTES);
  return reply;
}
