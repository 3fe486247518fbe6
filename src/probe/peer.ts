/** The protocol of a server, from the first bytes that it sends. */
export type Peer =
  | { readonly kind: 'tls' }
  /** @see line its first line, printable */
  | { readonly kind: 'http/1'; readonly line: string }
  | { readonly kind: 'http/2' }
  /** @see shown its beginning, as a JSON string */
  | { readonly kind: 'other'; readonly shown: string };

/** The most bytes to look at. */
export const PEER_BYTES = 128;

const HTTP = 'HTTP/';
const TLS_ALERT = 21;
const TLS_HANDSHAKE = 22;
const FRAME_HEAD_BYTES = 9;
/** RFC 9113, sections 6.5, 6.8 and 4.2. */
const SETTINGS = 4;
const GO_AWAY = 7;
const MAX_FRAME_BYTES = 16_384;

/** @returns undefined while more bytes may decide it */
export function peerFrom(bytes: Buffer): Peer | undefined {
  if (bytes.length >= 3 && isTlsRecord(bytes)) return { kind: 'tls' };
  const beginning = bytes.toString('latin1', 0, HTTP.length);
  if (beginning === HTTP) {
    const text = bytes.toString('latin1', 0, PEER_BYTES);
    if (!text.includes('\n') && bytes.length < PEER_BYTES) return undefined;
    return { kind: 'http/1', line: text.replace(/[\r\n].*$/s, '').replace(/[^\x20-\x7e]/g, '?') };
  }
  const [first = 0] = bytes;
  const mayBecome = first === 0 || HTTP.startsWith(beginning) || (bytes.length < 3 && isTlsType(first));
  if (bytes.length < FRAME_HEAD_BYTES && mayBecome) return undefined;
  if (bytes.length >= FRAME_HEAD_BYTES && isFirstFrame(bytes)) return { kind: 'http/2' };
  return { kind: 'other', shown: shownBytes(bytes) };
}

/** RFC 8446, section 5.1: an alert, or a handshake, of a version from SSL 3.0 to TLS 1.3. */
const isTlsRecord = ([type = 0, major = 0, minor = 0]: Buffer): boolean => isTlsType(type) && major === 3 && minor <= 4;

const isTlsType = (type: number): boolean => type === TLS_ALERT || type === TLS_HANDSHAKE;

/** A server begins with SETTINGS (RFC 9113, section 3.4), or with GOAWAY and its reason. */
function isFirstFrame(bytes: Buffer): boolean {
  const length = bytes.readUIntBE(0, 3);
  const type = bytes.readUInt8(3);
  if (length > MAX_FRAME_BYTES || bytes.readUInt32BE(5) !== 0) return false;
  return type === SETTINGS ? length % 6 === 0 : type === GO_AWAY && length >= 8;
}

/** The first bytes as a JSON string in ASCII. */
export function shownBytes(bytes: Buffer): string {
  const hex = (character: string) => `\\u00${character.charCodeAt(0).toString(16)}`;
  return JSON.stringify(bytes.toString('latin1', 0, 64)).replace(/[^ -~]/g, hex);
}
