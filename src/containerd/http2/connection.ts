import type { Duplex } from 'node:stream';
import type { Clock } from '../../lib/clock.ts';
import { createFrameHandlers } from './frame-handlers.ts';
import { createFrameParser, DEFAULT_WINDOW, numberFrame, PREFACE, SETTING, settingsFrame, TYPE } from './frames.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { createSendWindows } from './send-windows.ts';
import { createStreams, type Stream, type StreamEvents } from './streams.ts';

/**
 * Lists of thousands of containers and blobs come in megabytes: the default window of 64 KiB would make each a round
 * trip.
 */
const STREAM_WINDOW = 4 << 20;
const CONNECTION_WINDOW = 8 << 20;
/** An HTTP/2 client connection, without features that gRPC on a Unix socket does not need: TLS, priorities, pushes. */
export interface Connection {
  /** Whether streams can be opened: not after it was lost, and not after the peer announced its end. */
  readonly isUsable: boolean;
  /** @param headers the header block of the request, from encodeHeaders */
  open(headers: Buffer, events: StreamEvents): Stream;
  /** Cuts all streams off. */
  destroy(): void;
}

/** Limits for a peer that is not trusted. Absent: as much as containerd sends. */
export interface ConnectionLimits {
  /** All bytes, including those of empty frames; with more the connection is lost. */
  readonly receivedBytes?: number;
  /** Size of one header block, with CONTINUATION frames. */
  readonly headerBytes?: number;
  /** Data that the peer may send before it is acknowledged; at least 65,535. */
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

/** Takes over the socket, which need not be connected yet. */
export function openConnection(socket: Duplex, clock: Pick<Clock, 'after'>, limits: ConnectionLimits = {}): Connection {
  const { receivedBytes = Number.POSITIVE_INFINITY, headerBytes, windowBytes } = limits;
  const streamWindow = windowBytes ?? STREAM_WINDOW;
  const connectionWindow = windowBytes ?? CONNECTION_WINDOW;
  const outbox = createOutbox(socket);
  const parser = createFrameParser();
  const windows = createSendWindows(outbox);
  const streams = createStreams(outbox, windows, streamWindow);
  const handlers = createFrameHandlers({ outbox, windows, streams, clock, connectionWindow, headerBytes });
  let isLost = false;
  let received = 0;
  const lose = (reason: Error): void => {
    if (isLost) return;
    isLost = true;
    socket.destroy();
    handlers.stop();
    streams.cutOffAll(reason);
  };
  const receive = (bytes: Buffer): void => {
    const taken = bytes.subarray(0, receivedBytes - received);
    received += taken.length;
    for (const frame of parser.feed(taken)) if (!isLost) handlers.handle(frame);
    if (taken.length < bytes.length) throw new ReceivedTooMuchError(`more than ${receivedBytes} bytes were received`);
    handlers.afterRead();
  };
  socket.on('data', (bytes: Buffer) => {
    try {
      receive(bytes);
    } catch (error) {
      lose(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.on('error', lose);
  socket.on('close', () => lose(new ConnectionClosedError()));
  greet(outbox, { streamWindow, connectionWindow });
  return {
    get isUsable() {
      return !isLost && streams.canOpen;
    },
    open: streams.open,
    destroy: () => lose(new ConnectionClosedError()),
  };
}

/** What a client says first (RFC 9113, section 3.4). */
function greet(
  outbox: Outbox,
  { streamWindow, connectionWindow }: { readonly streamWindow: number; readonly connectionWindow: number },
): void {
  outbox.add(PREFACE);
  outbox.add(
    settingsFrame([
      [SETTING.enablePush, 0],
      [SETTING.initialWindow, streamWindow],
    ]),
  );
  if (connectionWindow > DEFAULT_WINDOW)
    outbox.add(numberFrame(TYPE.windowUpdate, 0, connectionWindow - DEFAULT_WINDOW));
}
