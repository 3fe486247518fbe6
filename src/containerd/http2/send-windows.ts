import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW, FLAG, frameFrom, ProtocolError, TYPE } from './frames.ts';
import type { Outbox } from './outbox.ts';

/** RFC 9113, section 6.9.1. */
const MAX_WINDOW = 2 ** 31 - 1;

/** What of a stream waits to be sent, and how much the peer takes. */
export interface SendStream {
  readonly id: number;
  window: number;
  readonly queue: { bytes: Buffer; readonly taken: () => void }[];
  /** The end is to follow the queue. */
  isEnding: boolean;
}

/** Sends data as far as the windows of the stream and of the connection allow (RFC 9113, section 5.2), the rest as they grow. */
export interface SendWindows {
  streamOf(id: number): SendStream;
  /** Resolves when the bytes are with the kernel, or the stream was dropped. */
  send(stream: SendStream, bytes: Buffer): Promise<void>;
  end(stream: SendStream): void;
  /** What still waits is given up. */
  drop(stream: SendStream): void;
  /** @param stream undefined for the connection, and for a stream that is over, which is passed over */
  enlarge(stream: SendStream | undefined, streamId: number, bytes: number): void;
  /** The peer's setting: for streams to come, and by the difference for those that are open (section 6.9.2). */
  setInitial(bytes: number, open: Iterable<SendStream>): void;
  setMaxFrame(bytes: number): void;
}

export function createSendWindows(outbox: Outbox): SendWindows {
  let connection = DEFAULT_WINDOW;
  let initial = DEFAULT_WINDOW;
  let maxFrame = DEFAULT_MAX_FRAME;
  /** Those that have something to send and may not, the longest waiting first. */
  const blocked = new Set<SendStream>();

  const pump = (stream: SendStream): void => {
    for (let item = stream.queue[0]; item; item = stream.queue[0]) {
      const room = Math.min(connection, stream.window, maxFrame);
      if (room <= 0 && item.bytes.length > 0) {
        blocked.add(stream);
        return;
      }
      const part = item.bytes.subarray(0, room);
      connection -= part.length;
      stream.window -= part.length;
      const isWhole = part.length === item.bytes.length;
      const isLast = isWhole && stream.isEnding && stream.queue.length === 1;
      outbox.add(frameFrom(TYPE.data, isLast ? FLAG.endStream : 0, stream.id, part), isWhole ? item.taken : undefined);
      if (isLast) stream.isEnding = false;
      if (isWhole) stream.queue.shift();
      else item.bytes = item.bytes.subarray(part.length);
    }
    blocked.delete(stream);
    if (!stream.isEnding) return;
    stream.isEnding = false;
    outbox.add(frameFrom(TYPE.data, FLAG.endStream, stream.id));
  };
  /** In a turn of its own, so that an end that follows at once goes with the last data. */
  const pumpSoon = (stream: SendStream): void => {
    if (stream.queue.length === 1 && !blocked.has(stream)) queueMicrotask(() => pump(stream));
  };

  return {
    streamOf: (id) => ({ id, window: initial, queue: [], isEnding: false }),
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
