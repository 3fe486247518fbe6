import type { Duplex } from 'node:stream';
import type { Clock } from '../../lib/clock.ts';
import {
  CANCEL,
  contentOf,
  createFrameParser,
  DEFAULT_MAX_FRAME,
  DEFAULT_WINDOW,
  ERROR_NAMES,
  FLAG,
  type Frame,
  frameFrom,
  numberFrame,
  numberOf,
  PREFACE,
  ProtocolError,
  SETTING,
  settingsFrame,
  TYPE,
} from './frames.ts';
import { createHeaderBlocks } from './header-blocks.ts';
import type { HeaderFields } from './hpack.ts';
import { createOutbox } from './outbox.ts';
import { createPingAnswers } from './ping-answers.ts';
import { createSendWindows, type SendStream } from './send-windows.ts';

/** Lists of thousands of containers and blobs come in megabytes: the default window of 64 KiB would make each a round trip. */
const STREAM_WINDOW = 4 << 20;
const CONNECTION_WINDOW = 8 << 20;
/** Ids of streams are used up at 2^31; a new connection starts again. */
const LAST_STREAM_ID = 0x7ffffffd;
/** What comes on a stream. */
interface StreamEvents {
  /** Of the answer, then of its trailers. */
  onHeaders(fields: HeaderFields): void;
  onData(bytes: Buffer): void;
  /** Nothing more comes: undefined when the peer said so, else why the stream was cut off. Called once. */
  onEnd(cut: Error | undefined): void;
}

export interface Stream {
  /** Resolves when the bytes are with the kernel, or when there is nobody any more who wants them. */
  send(bytes: Buffer): Promise<void>;
  /** Nothing more is sent. */
  end(): void;
  /** So many bytes of what came were taken: the peer may send as many more. */
  credit(bytes: number): void;
  /** Gives the stream up; `onEnd` is not called for that. Of no effect on one that is over. */
  cancel(): void;
}

/** An HTTP/2 connection as a client, without what gRPC on a Unix socket does not need: TLS, priorities, pushes. */
export interface Connection {
  /** Whether streams can be opened: not after it was lost, and not after the peer said that it will go away. */
  readonly isUsable: boolean;
  /** @param headers the header block of the request, as encodeHeaders gives it */
  open(headers: Buffer, events: StreamEvents): Stream;
  /** Cuts all streams off. */
  destroy(): void;
}

interface OpenStream extends SendStream {
  readonly events: StreamEvents;
  isEndSent: boolean;
  /** Bytes that came and were taken, and of which the peer was not told. */
  uncredited: number;
}

/** What is taken of a peer that is not trusted. Left out: as much as containerd sends. */
export interface ConnectionLimits {
  /** In all, frames that carry nothing included; the connection is lost when more comes. */
  readonly receivedBytes?: number;
  /** Of one header block, CONTINUATION frames included. */
  readonly headerBytes?: number;
  /** What the peer may send of data before it was taken; 65,535 at least. */
  readonly windowBytes?: number;
}

/** The end of a connection that the peer did not explain. */
export class ConnectionClosedError extends Error {
  constructor() {
    super('the connection was closed');
  }
}

/** Why a connection was lost whose peer sent more than `receivedBytes`. */
export class ReceivedTooMuchError extends Error {}

/** Takes the socket over, which need not be connected yet. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function openConnection(socket: Duplex, clock: Pick<Clock, 'after'>, limits: ConnectionLimits = {}): Connection {
  const { receivedBytes = Number.POSITIVE_INFINITY, headerBytes, windowBytes } = limits;
  const streamWindow = windowBytes ?? STREAM_WINDOW;
  const connectionWindow = windowBytes ?? CONNECTION_WINDOW;
  const outbox = createOutbox(socket);
  const parser = createFrameParser();
  const blocks = createHeaderBlocks(headerBytes);
  const streams = new Map<number, OpenStream>();
  const windows = createSendWindows(outbox);
  const pings = createPingAnswers(outbox, clock);
  let nextId = 1;
  let isGoingAway = false;
  let lost: Error | undefined;
  let uncredited = 0;
  let received = 0;
  const lose = (reason: Error): void => {
    if (lost) return;
    lost = reason;
    socket.destroy();
    pings.stop();
    const cut = [...streams.values()];
    streams.clear();
    for (const stream of cut) {
      windows.drop(stream);
      stream.events.onEnd(reason);
    }
  };
  const over = (stream: OpenStream, cut: Error | undefined): void => {
    if (!streams.delete(stream.id)) return;
    windows.drop(stream);
    stream.events.onEnd(cut);
  };
  /** The peer has said all: what we still had to say is of no use. */
  const endByPeer = (stream: OpenStream): void => {
    if (!stream.isEndSent || stream.queue.length > 0) outbox.add(numberFrame(TYPE.reset, stream.id, CANCEL));
    over(stream, undefined);
  };
  const takeHeaders = (frame: Frame): void => {
    const headers = blocks.take(frame);
    const stream = headers && streams.get(headers.streamId);
    if (!stream) return;
    stream.events.onHeaders(headers.fields);
    if (headers.isEndOfStream) endByPeer(stream);
  };
  const takeData = (frame: Frame): void => {
    // The connection's window counts padding and what nobody wants any more; nobody waits with it.
    uncredited += frame.payload.length;
    if (uncredited >= connectionWindow / 2) {
      outbox.add(numberFrame(TYPE.windowUpdate, 0, uncredited));
      uncredited = 0;
    }
    const stream = streams.get(frame.streamId);
    if (!stream) return;
    const content = contentOf(frame);
    stream.uncredited += frame.payload.length - content.length;
    if (content.length > 0) stream.events.onData(content);
    if ((frame.flags & FLAG.endStream) !== 0) endByPeer(stream);
  };
  const takeSettings = ({ flags, payload }: Frame): void => {
    if ((flags & FLAG.ack) !== 0) return;
    if (payload.length % 6 !== 0) throw new ProtocolError('SETTINGS that were cut off');
    for (let at = 0; at < payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      switch (payload.readUInt16BE(at)) {
        case SETTING.initialWindow:
          windows.setInitial(value, streams.values());
          break;
        case SETTING.maxFrame:
          windows.setMaxFrame(value);
          break;
        default:
      }
    }
    outbox.add(frameFrom(TYPE.settings, FLAG.ack, 0));
  };
  const takeGoAway = ({ payload }: Frame): void => {
    isGoingAway = true;
    const lastId = payload.length >= 8 ? payload.readUInt32BE(0) & LAST_STREAM_ID : 0;
    const reason = new Error(
      `the connection is being closed: ${errorName(payload.length >= 8 ? payload.readUInt32BE(4) : 0)}`,
    );
    for (const stream of [...streams.values()]) if (stream.id > lastId) over(stream, reason);
  };
  /** PRIORITY, and what is not known, is passed over. */
  const handlers: Readonly<Record<number, (frame: Frame, stream: OpenStream | undefined) => void>> = {
    [TYPE.data]: takeData,
    [TYPE.headers]: takeHeaders,
    [TYPE.continuation]: takeHeaders,
    [TYPE.reset]: (frame, stream) => {
      if (stream) over(stream, new Error(`the stream was reset: ${errorName(numberOf(frame))}`));
    },
    [TYPE.settings]: takeSettings,
    [TYPE.push]: () => {
      throw new ProtocolError('a PUSH_PROMISE, which was forbidden');
    },
    [TYPE.ping]: ({ flags, payload }) => {
      if ((flags & FLAG.ack) === 0) pings.take(payload);
    },
    [TYPE.goAway]: takeGoAway,
    [TYPE.windowUpdate]: (frame, stream) => windows.enlarge(stream, frame.streamId, numberOf(frame)),
  };
  const take = (frame: Frame): void => {
    if (blocks.isOpen && frame.type !== TYPE.continuation)
      throw new ProtocolError('header fields that were interrupted');
    handlers[frame.type]?.(frame, streams.get(frame.streamId));
  };

  socket.on('data', (bytes: Buffer) => {
    try {
      const taken = bytes.subarray(0, receivedBytes - received);
      received += taken.length;
      for (const frame of parser.feed(taken)) if (!lost) take(frame);
      if (taken.length < bytes.length) throw new ReceivedTooMuchError(`more than ${receivedBytes} bytes were received`);
      pings.look();
    } catch (error) {
      lose(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.on('error', lose);
  socket.on('close', () => lose(new ConnectionClosedError()));
  outbox.add(PREFACE);
  outbox.add(
    settingsFrame([
      [SETTING.enablePush, 0],
      [SETTING.initialWindow, streamWindow],
    ]),
  );
  if (connectionWindow > DEFAULT_WINDOW)
    outbox.add(numberFrame(TYPE.windowUpdate, 0, connectionWindow - DEFAULT_WINDOW));

  return {
    get isUsable() {
      return !lost && !isGoingAway && nextId <= LAST_STREAM_ID;
    },
    open: (headerBlock, events) => {
      const stream: OpenStream = { ...windows.streamOf(nextId), events, isEndSent: false, uncredited: 0 };
      nextId += 2;
      streams.set(stream.id, stream);
      if (headerBlock.length > DEFAULT_MAX_FRAME) throw new RangeError('header fields longer than a frame');
      outbox.add(frameFrom(TYPE.headers, FLAG.endHeaders, stream.id, headerBlock));
      const isOpen = (): boolean => streams.get(stream.id) === stream;
      return {
        send: (bytes) => (isOpen() ? windows.send(stream, bytes) : Promise.resolve()),
        end: () => {
          if (!isOpen() || stream.isEndSent) return;
          stream.isEndSent = true;
          windows.end(stream);
        },
        credit: (bytes) => {
          stream.uncredited += bytes;
          if (stream.uncredited < streamWindow / 2 || !isOpen()) return;
          outbox.add(numberFrame(TYPE.windowUpdate, stream.id, stream.uncredited));
          stream.uncredited = 0;
        },
        cancel: () => {
          if (!isOpen()) return;
          streams.delete(stream.id);
          windows.drop(stream);
          outbox.add(numberFrame(TYPE.reset, stream.id, CANCEL));
        },
      };
    },
    destroy: () => lose(new ConnectionClosedError()),
  };
}

function errorName(code: number): string {
  return ERROR_NAMES[code] ?? `error ${code}`;
}
