import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW, FLAG, frameFrom, headFrom, ProtocolError, TYPE } from './frames.ts';
import type { Outbox } from './outbox.ts';

/** RFC 9113, section 6.9.1. */
const MAX_WINDOW = 2 ** 31 - 1;

/** The unsent data of a stream, and how much the peer accepts. */
export interface SendStream {
  /** 0 until the stream has begun: nothing is sent until then. */
  id: number;
  window: number;
  readonly queue: { bytes: Buffer; readonly taken: () => void }[];
  /** The end follows the queue. */
  isEnding: boolean;
}

/** Sends data as far as the windows of stream and connection allow (RFC 9113, section 5.2), the rest as they grow. */
export interface SendWindows {
  /** The header fields of the stream were sent: what was queued may follow. */
  begin(stream: SendStream, id: number): void;
  /** Resolves when the kernel has the bytes, or the stream was dropped. */
  send(stream: SendStream, bytes: Buffer): Promise<void>;
  end(stream: SendStream): void;
  /** Drops unsent data. */
  drop(stream: SendStream): void;
  /** @param stream undefined for the connection, and for an ended stream, which is skipped */
  enlarge(stream: SendStream | undefined, streamId: number, bytes: number): void;
  /** The peer's setting: for future streams, and by the difference for open ones (section 6.9.2). */
  setInitial(bytes: number, open: Iterable<SendStream>): void;
  setMaxFrame(bytes: number): void;
}

/** A stream that has not begun. */
export function newSendStream(): SendStream {
  return { id: 0, window: 0, queue: [], isEnding: false };
}

export function createSendWindows(outbox: Outbox): SendWindows {
  let connection = DEFAULT_WINDOW;
  let initial = DEFAULT_WINDOW;
  let maxFrame = DEFAULT_MAX_FRAME;
  /** Streams with data but no window, the longest waiting first. */
  const blocked = new Set<SendStream>();

  const pump = (stream: SendStream): void => {
    if (stream.id === 0) return;
    for (let item = stream.queue[0]; item; item = stream.queue[0]) {
      const room = Math.min(connection, stream.window, maxFrame);
      if (room <= 0 && item.bytes.length > 0) {
        blocked.add(stream);
        return;
      }
      const { part, isLast, taken } = takePart(stream, item, room);
      connection -= part.length;
      addData(outbox, { flags: isLast ? FLAG.endStream : 0, id: stream.id, part }, taken);
    }
    blocked.delete(stream);
    if (!stream.isEnding) return;
    stream.isEnding = false;
    outbox.add(frameFrom(TYPE.data, FLAG.endStream, stream.id));
  };
  /** In a later turn, so that an end that follows at once goes with the last data. */
  const pumpSoon = (stream: SendStream): void => {
    if (stream.queue.length === 1 && !blocked.has(stream)) queueMicrotask(() => pump(stream));
  };

  return {
    begin: (stream, id) => {
      stream.id = id;
      stream.window = initial;
      pump(stream);
    },
    send: (stream, bytes) =>
      new Promise((taken) => {
        stream.queue.push({ bytes, taken });
        pumpSoon(stream);
      }),
    end: (stream) => {
      stream.isEnding = true;
      if (stream.queue.length === 0) pump(stream);
    },
    drop: (stream) => {
      blocked.delete(stream);
      stream.isEnding = false;
      for (const { taken } of stream.queue.splice(0)) taken();
    },
    enlarge: (stream, streamId, bytes) => {
      if (streamId === 0) connection += bytes;
      else if (stream) stream.window += bytes;
      if (Math.max(connection, stream?.window ?? 0) > MAX_WINDOW) throw new ProtocolError('a window that is too large');
      for (const each of streamId === 0 ? [...blocked] : stream && blocked.has(stream) ? [stream] : []) pump(each);
    },
    setInitial: (bytes, open) => {
      if (bytes > MAX_WINDOW) throw new ProtocolError('a window that is too large');
      for (const stream of open) stream.window += bytes - initial;
      initial = bytes;
      for (const stream of [...blocked]) pump(stream);
    },
    setMaxFrame: (bytes) => {
      maxFrame = Math.max(bytes, DEFAULT_MAX_FRAME);
    },
  };
}

/** From this size on, the data of a frame is not copied. */
const LARGE_BYTES = 4096;

function addData(
  outbox: Outbox,
  { flags, id, part }: { readonly flags: number; readonly id: number; readonly part: Buffer },
  taken: (() => void) | undefined,
): void {
  if (part.length < LARGE_BYTES) {
    outbox.add(frameFrom(TYPE.data, flags, id, part), taken);
    return;
  }
  outbox.add(headFrom({ type: TYPE.data, flags, id, length: part.length }));
  outbox.add(part, taken);
}

/** Takes what fits into `room` from the beginning of the queue. @returns isLast: the end of the stream goes with it */
function takePart(stream: SendStream, item: SendStream['queue'][number], room: number) {
  const part = item.bytes.subarray(0, room);
  stream.window -= part.length;
  if (part.length < item.bytes.length) {
    item.bytes = item.bytes.subarray(part.length);
    return { part, isLast: false, taken: undefined };
  }
  stream.queue.shift();
  const isLast = stream.isEnding && stream.queue.length === 0;
  if (isLast) stream.isEnding = false;
  return { part, isLast, taken: item.taken };
}
