import { HealthctlError } from '../lib/errors.ts';

/**
 * A message on the wire: one byte that says whether it is compressed, four of length, the bytes (gRPC over HTTP/2,
 * "Length-Prefixed-Message").
 */
const PREFIX_BYTES = 5;

/** containerd itself sends at most 16 MiB in one message. */
const MAX_MESSAGE_BYTES = 16 << 20;

export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  writePrefix(frame, message.length);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** What precedes a message on the wire. */
export function framePrefix(length: number): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  writePrefix(prefix, length);
  return prefix;
}

function writePrefix(frame: Buffer, length: number): void {
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(length, 1);
}

/** Splits the bytes of a stream into messages. */
export interface FrameReader {
  /** The messages complete so far. Throws CORRUPT for invalid gRPC, EXHAUSTED for a message that is too large. */
  feed(bytes: Buffer): readonly Buffer[];
}

export function createFrameReader(maxBytes = MAX_MESSAGE_BYTES): FrameReader {
  let chunks: Buffer[] = [];
  let waiting = 0;
  let needed = PREFIX_BYTES;
  const take = (): Buffer => {
    const [first] = chunks;
    const all = first && chunks.length === 1 ? first : Buffer.concat(chunks);
    chunks = [];
    return all;
  };
  return {
    feed: (bytes) => {
      chunks.push(bytes);
      waiting += bytes.length;
      if (waiting < needed) return [];
      const messages: Buffer[] = [];
      let rest = take();
      needed = PREFIX_BYTES;
      while (rest.length >= PREFIX_BYTES) {
        const end = PREFIX_BYTES + messageLength(rest, maxBytes);
        if (rest.length < end) {
          needed = end;
          break;
        }
        messages.push(rest.subarray(PREFIX_BYTES, end));
        rest = rest.subarray(end);
      }
      waiting = rest.length;
      if (waiting > 0) chunks.push(rest);
      return messages;
    },
  };
}

function messageLength(frame: Buffer, maxBytes: number): number {
  if (frame.readUInt8(0) !== 0)
    throw new HealthctlError('CORRUPT', 'containerd sent a compressed message, which was not requested');
  const length = frame.readUInt32BE(1);
  if (length > maxBytes)
    throw new HealthctlError(
      'EXHAUSTED',
      `containerd sent a message of ${length} bytes; the most that is taken is ${maxBytes}`,
    );
  return length;
}

/**
 * The trailer `grpc-message`: percent-encoded UTF-8 (gRPC over HTTP/2, "Status-Message"); other text is used unchanged.
 */
export function decodeStatusMessage(text: unknown): string {
  if (typeof text !== 'string') return '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
