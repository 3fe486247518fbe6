/** Frames of HTTP/2 (RFC 9113, section 4): nine bytes of length, type, flags and stream, and a payload. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** RFC 9113, section 6. */
export const TYPE = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  reset: 0x3,
  settings: 0x4,
  push: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const FLAG = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** RFC 9113, section 6.5.2. */
export const SETTING = { enablePush: 0x2, maxStreams: 0x3, initialWindow: 0x4, maxFrame: 0x5 } as const;

/** RFC 9113, section 7. */
const ERROR_NAMES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;
export const CANCEL = 0x8;

export function errorName(code: number): string {
  return ERROR_NAMES[code] ?? `error ${code}`;
}

/** The largest frame in either direction, until a setting changes it. */
export const DEFAULT_MAX_FRAME = 16_384;
/** RFC 9113, section 6.9.2. */
export const DEFAULT_WINDOW = 65_535;

const HEAD_BYTES = 9;
const STREAM_ID_MASK = 0x7fffffff;

/** The first bytes of a client (RFC 9113, section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

const NOTHING = Buffer.alloc(0);

export function frameFrom(type: number, flags: number, streamId: number, payload: Uint8Array = NOTHING): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  writeHead(frame, { type, flags, id: streamId, length: payload.length });
  frame.set(payload, HEAD_BYTES);
  return frame;
}

interface Head {
  readonly type: number;
  readonly flags: number;
  /** Of the stream. */
  readonly id: number;
  /** Of the payload that follows. */
  readonly length: number;
}

/** A frame without its payload. */
export function headFrom(head: Head): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  writeHead(bytes, head);
  return bytes;
}

function writeHead(frame: Buffer, { type, flags, id, length }: Head): void {
  frame.writeUIntBE(length, 0, 3);
  frame.writeUInt8(type, 3);
  frame.writeUInt8(flags, 4);
  frame.writeUInt32BE(id, 5);
}

/** @param settings identifiers with their values */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(settings.length * 6);
  for (const [i, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  return frameFrom(TYPE.settings, 0, 0, payload);
}

/**
 * The values of a SETTINGS frame by their identifiers; for a repeated identifier the last one. Throws ProtocolError.
 */
export function settingsFrom({ payload }: Frame): ReadonlyMap<number, number> {
  if (payload.length % 6 !== 0) throw new ProtocolError('SETTINGS that were cut off');
  const settings = new Map<number, number>();
  for (let at = 0; at < payload.length; at += 6) settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  return settings;
}

/**
 * @returns the last stream that the peer processed, and its reason. A frame that is cut off counts as none processed.
 */
export function goAwayFrom({ payload }: Frame): { readonly lastStreamId: number; readonly error: string } {
  if (payload.length < 8) return { lastStreamId: 0, error: errorName(0) };
  return { lastStreamId: payload.readUInt32BE(0) & STREAM_ID_MASK, error: errorName(payload.readUInt32BE(4)) };
}

/** RST_STREAM and WINDOW_UPDATE: one number. */
export function numberFrame(type: number, streamId: number, value: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(value);
  return frameFrom(type, 0, streamId, payload);
}

/** A peer that violates the protocol: the connection is unusable. */
export class ProtocolError extends Error {}

/** Splits the bytes of a connection into frames. */
export interface FrameParser {
  /**
   * The frames complete so far; their payloads are views of `bytes` or of our copies. Throws ProtocolError for one that
   * is too long.
   */
  feed(bytes: Buffer): readonly Frame[];
}

export function createFrameParser(maxPayload = DEFAULT_MAX_FRAME): FrameParser {
  let chunks: Buffer[] = [];
  let waiting = 0;
  let needed = HEAD_BYTES;
  return {
    feed: (bytes) => {
      chunks.push(bytes);
      waiting += bytes.length;
      if (waiting < needed) return [];
      let rest = chunks.length === 1 ? bytes : Buffer.concat(chunks);
      chunks = [];
      needed = HEAD_BYTES;
      const frames: Frame[] = [];
      while (rest.length >= HEAD_BYTES) {
        const length = rest.readUIntBE(0, 3);
        if (length > maxPayload) throw new ProtocolError(`a frame of ${length} bytes, the most is ${maxPayload}`);
        const end = HEAD_BYTES + length;
        if (rest.length < end) {
          needed = end;
          break;
        }
        frames.push({
          type: rest.readUInt8(3),
          flags: rest.readUInt8(4),
          streamId: rest.readUInt32BE(5) & STREAM_ID_MASK,
          payload: rest.subarray(HEAD_BYTES, end),
        });
        rest = rest.subarray(end);
      }
      waiting = rest.length;
      if (waiting > 0) chunks.push(rest);
      return frames;
    },
  };
}

/**
 * The payload of a DATA or HEADERS frame without padding and priority (RFC 9113, sections 6.1 and 6.2). Throws
 * ProtocolError.
 */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  const isPadded = (flags & FLAG.padded) !== 0;
  const padding = isPadded ? (payload[0] ?? 0) : 0;
  const priority = type === TYPE.headers && (flags & FLAG.priority) !== 0 ? 5 : 0;
  const start = (isPadded ? 1 : 0) + priority;
  const end = payload.length - padding;
  if (end < start) throw new ProtocolError('more padding than payload');
  return start === 0 && padding === 0 ? payload : payload.subarray(start, end);
}

/**
 * A 32-bit number at the start of a payload, without the reserved bit. Throws ProtocolError for a payload of another
 * length.
 */
export function numberOf({ payload }: Frame): number {
  if (payload.length !== 4) throw new ProtocolError(`a payload of ${payload.length} bytes where there are 4`);
  return payload.readUInt32BE(0) & STREAM_ID_MASK;
}
