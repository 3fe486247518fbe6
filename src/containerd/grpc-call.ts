import { systemClock } from '../lib/clock.ts';
import { startDeadline } from '../lib/deadline.ts';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import { type RpcFailure, translateRpcError } from './errors.ts';
import { createFrameReader, decodeStatusMessage, frameMessage, framePrefix } from './grpc-frames.ts';
import type { Connection } from './http2/connection.ts';
import { encodeHeaders, type HeaderFields } from './http2/hpack.ts';
import type { Stream } from './http2/streams.ts';
import type { CallOptions, Headers, Method } from './transport.ts';

/** gRPC status codes (grpc.io, "Status codes and their use") that we produce ourselves. */
const CANCELLED = 1;
const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

export interface CallRequest<Q, S> {
  readonly service: string;
  readonly method: Method<Q, S>;
  readonly headers: Headers;
  readonly options: CallOptions;
  /** Path of the socket, for error texts. */
  readonly address: string;
}

/** One gRPC call on an HTTP/2 stream. */
export interface Call<Q, S> {
  /** Resolves when the message was sent, or the call has ended. */
  send(message: Q): Promise<void>;
  end(): void;
  /** The next answer; undefined at a successful end. Throws HealthctlError. */
  receive(): Promise<S | undefined>;
  cancel(): void;
}

/** Number of unread messages, and their bytes, at which the peer must stop sending. */
const MAX_WAITING = 16;
const MAX_WAITING_BYTES = 1 << 20;

/** Opens a call (gRPC over HTTP/2, PROTOCOL-HTTP2). No timer and no listener on the signal outlives its end. */
export function openCall<Q, S>(connection: Connection, request: CallRequest<Q, S>): Call<Q, S> {
  const { method, options, address } = request;
  const { signal, timeoutMs = 0 } = options;
  const status = createStatus();
  const end = createEnding();
  const inbox = createInbox(method, end);
  const stream: Stream = connection.open(headersOf(request), {
    onHeaders: status.read,
    onData: (bytes) => inbox.feed(bytes, stream),
    onEnd: (cut) => end.finish(status.reason(cut)),
  });
  const cancel = () => end.finish(failure(CANCELLED, 'cancelled'));
  const deadline =
    timeoutMs > 0
      ? startDeadline(systemClock, timeoutMs, () => end.finish(failure(DEADLINE_EXCEEDED, 'deadline exceeded')))
      : undefined;
  signal?.addEventListener('abort', cancel);
  end.onEnd(() => {
    deadline?.cancel();
    signal?.removeEventListener('abort', cancel);
    stream.cancel(); // no effect if the peer ended it
    inbox.wake();
  });
  if (signal?.aborted) cancel();
  return {
    send: (message) => sendMessage(stream, method.requestType.encode(message).finish()),
    end: stream.end,
    receive: async () => {
      const message = await inbox.next(stream);
      if (message !== undefined) return message;
      const reason = end.reason();
      if (reason)
        throw reason instanceof HealthctlError ? reason : translateRpcError(reason, address, method.name, signal);
      return undefined;
    },
    cancel,
  };
}

/** From this size on, a message is sent without a copy of it. */
const LARGE_BYTES = 64 << 10;

function sendMessage(stream: Stream, message: Uint8Array): Promise<void> {
  if (message.length < LARGE_BYTES) return stream.send(frameMessage(message));
  void stream.send(framePrefix(message.length));
  return stream.send(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
}

/**
 * The part of a request's header fields that calls of one method share, by the method's path and the headers object.
 */
const COMMON = new WeakMap<Headers, Map<string, Buffer>>();

function headersOf<Q, S>({ service, method, headers, options }: CallRequest<Q, S>): Buffer {
  const path = `/${service}/${method.name}`;
  const known = COMMON.get(headers) ?? new Map<string, Buffer>();
  COMMON.set(headers, known);
  const common =
    known.get(path) ??
    encodeHeaders({
      ...{ ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'localhost' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
      ...headers,
    });
  known.set(path, common);
  const { timeoutMs = 0 } = options;
  if (timeoutMs <= 0) return common;
  return Buffer.concat([common, encodeHeaders({ 'grpc-timeout': timeoutText(timeoutMs) })]);
}

function failure(code: number, details: string, errno?: string): RpcFailure {
  return Object.assign(new Error(details), { code, details, errno });
}

/** At most eight digits and a unit. */
function timeoutText(ms: number): string {
  return ms < 1e8 ? `${Math.ceil(ms)}m` : `${Math.min(Math.ceil(ms / 1000), 99_999_999)}S`;
}

interface Ending {
  isOver(): boolean;
  /** Why it ended; undefined for a good end. */
  reason(): RpcFailure | HealthctlError | undefined;
  /** The first one counts. */
  finish(reason: RpcFailure | HealthctlError | undefined): void;
  /** @param listener called once */
  onEnd(listener: () => void): void;
}

function createEnding(): Ending {
  let over = false;
  let why: RpcFailure | HealthctlError | undefined;
  let onOver = () => {};
  return {
    isOver: () => over,
    reason: () => why,
    finish: (reason) => {
      if (over) return;
      over = true;
      why = reason;
      onOver();
    },
    onEnd: (listener) => {
      onOver = listener;
      if (over) onOver();
    },
  };
}

/**
 * The status comes in the trailers, or in the headers of an answer without a message; a stream that ends without one
 * was cut off.
 */
function createStatus() {
  let status: RpcFailure | 'ok' | undefined;
  return {
    read: (fields: HeaderFields): void => {
      const code = fields['grpc-status'];
      const http = fields[':status'];
      if (code !== undefined)
        status ??= code === '0' ? 'ok' : failure(Number(code), decodeStatusMessage(fields['grpc-message']));
      else if (http !== undefined && http !== '200') status ??= failure(UNKNOWN, `HTTP status ${http}`);
    },
    reason: (cut: Error | undefined): RpcFailure | undefined => {
      if (status === 'ok') return undefined;
      return status ?? failure(UNAVAILABLE, cut?.message ?? 'the connection was closed', errnoOf(cut));
    },
  };
}

interface Inbox<S> {
  feed(bytes: Buffer, stream: Stream): void;
  next(stream: Stream): Promise<S | undefined>;
  wake(): void;
}

function createInbox<S>(method: Method<never, S>, end: Ending): Inbox<S> {
  const frames = createFrameReader();
  const waiting: Buffer[] = [];
  let waitingBytes = 0;
  /** Bytes for which the peer gets no credit until the waiting messages are read. */
  let held = 0;
  let wake = () => {};
  return {
    feed: (bytes, stream) => {
      try {
        for (const message of frames.feed(bytes)) {
          waiting.push(message);
          waitingBytes += message.length;
        }
      } catch (error) {
        end.finish(error instanceof HealthctlError ? error : failure(UNKNOWN, String(error)));
        return;
      }
      if (waiting.length < MAX_WAITING && waitingBytes < MAX_WAITING_BYTES) stream.credit(bytes.length);
      else held += bytes.length;
      wake();
    },
    wake: () => wake(),
    next: async (stream) => {
      for (;;) {
        const message = waiting.shift();
        if (message) {
          waitingBytes -= message.length;
          if (waiting.length === 0 && held > 0) {
            stream.credit(held);
            held = 0;
          }
          return method.responseType.decode(message);
        }
        if (end.isOver()) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
