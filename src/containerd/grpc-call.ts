import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { systemClock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { type RpcFailure, translateRpcError } from './errors.ts';
import { createFrameReader, decodeStatusMessage, frameMessage } from './grpc-frames.ts';
import type { CallOptions, Headers, Method } from './transport.ts';

/** gRPC status codes (grpc.io, "Status codes and their use") that we make up ourselves. */
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
  /** Resolves when the message is on its way, or when the call is over. */
  send(message: Q): Promise<void>;
  end(): void;
  /** The next answer; undefined at a good end. Throws HealthctlError. */
  receive(): Promise<S | undefined>;
  cancel(): void;
}

/** Messages that wait to be asked for before the stream is paused. */
const MAX_WAITING = 16;

/**
 * Opens a call (gRPC over HTTP/2, PROTOCOL-HTTP2). Nothing of it, no timer and no listener on the signal, outlives its end.
 *
 * @param failureOf why the session failed, should the stream end without a status
 */
export function openCall<Q, S>(
  session: ClientHttp2Session,
  request: CallRequest<Q, S>,
  failureOf: () => Error | undefined,
): Call<Q, S> {
  const { service, method, headers, options, address } = request;
  const { signal, timeoutMs = 0 } = options;
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: `/${service}/${method.name}`,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
    ...(timeoutMs > 0 ? { 'grpc-timeout': timeoutText(timeoutMs) } : {}),
    ...headers,
  });
  const end = openEnding(stream);
  const inbox = openInbox<S>(stream, method, end);
  const unsent = new Set<() => void>();
  const cancel = () => end.fail(failure(CANCELLED, 'cancelled'));
  const over = new AbortController();
  signal?.addEventListener('abort', cancel, { signal: over.signal });
  if (timeoutMs > 0) void expire(timeoutMs, over.signal, end);
  end.onEnd(() => {
    over.abort();
    for (const resolve of unsent) resolve();
    inbox.wake();
  });
  watchStatus(stream, end, failureOf);
  if (signal?.aborted) cancel();
  return {
    send: (message) =>
      new Promise((resolve) => {
        if (end.isOver()) return resolve();
        unsent.add(resolve);
        stream.write(frameMessage(method.requestType.encode(message).finish()), () => {
          unsent.delete(resolve);
          resolve();
        });
      }),
    end: () => stream.end(),
    receive: async () => {
      const message = await inbox.next();
      if (message !== undefined) return message;
      const reason = end.reason();
      if (reason)
        throw reason instanceof HealthctlError ? reason : translateRpcError(reason, address, method.name, signal);
      return undefined;
    },
    cancel,
  };
}

function failure(code: number, details: string): RpcFailure {
  return Object.assign(new Error(details), { code, details });
}

/** At most eight digits and a unit. */
function timeoutText(ms: number): string {
  return ms < 1e8 ? `${Math.ceil(ms)}m` : `${Math.min(Math.ceil(ms / 1000), 99_999_999)}S`;
}

interface Ending {
  isOver(): boolean;
  /** Why it ended; undefined for a good end. */
  reason(): RpcFailure | HealthctlError | undefined;
  succeed(): void;
  /** Ends the call for this reason; the first one counts. */
  fail(reason: RpcFailure | HealthctlError): void;
  onEnd(listener: () => void): void;
}

function openEnding(stream: ClientHttp2Stream): Ending {
  let over = false;
  let why: RpcFailure | HealthctlError | undefined;
  const listeners: (() => void)[] = [];
  const finish = (reason?: RpcFailure | HealthctlError) => {
    if (over) return;
    over = true;
    why = reason;
    if (!stream.destroyed && (reason || !stream.writableEnded)) stream.close(constants.NGHTTP2_CANCEL);
    for (const listener of listeners) listener();
  };
  return {
    isOver: () => over,
    reason: () => why,
    succeed: () => finish(),
    fail: finish,
    onEnd: (listener) => listeners.push(listener),
  };
}

/** The status comes in the trailers, or in the headers of an answer that has nothing else; a stream that ends without one was cut off. */
function watchStatus(stream: ClientHttp2Stream, end: Ending, failureOf: () => Error | undefined): void {
  let status: RpcFailure | 'ok' | undefined;
  const read = (headers: IncomingHttpHeaders) => {
    const code = headers['grpc-status'];
    if (code !== undefined)
      status ??= code === '0' ? 'ok' : failure(Number(code), decodeStatusMessage(headers['grpc-message']));
    else if (headers[':status'] !== undefined && headers[':status'] !== (200 as unknown))
      status ??= failure(UNKNOWN, `HTTP status ${headers[':status']}`);
  };
  let error: Error | undefined;
  stream.on('response', read);
  stream.on('trailers', read);
  stream.on('error', (cause) => {
    error = cause;
  });
  const settle = () => {
    if (status === 'ok') return end.succeed();
    const cut = failureOf() ?? error;
    end.fail(status ?? failure(UNAVAILABLE, cut?.message ?? 'the connection was closed'));
  };
  // A status ends the call, whatever we still had to say; the messages before it are read first.
  stream.on('end', () => {
    if (status !== undefined) settle();
  });
  stream.on('close', settle);
}

interface Inbox<S> {
  next(): Promise<S | undefined>;
  wake(): void;
}

function openInbox<S>(stream: ClientHttp2Stream, method: Method<never, S>, end: Ending): Inbox<S> {
  const frames = createFrameReader();
  const waiting: Buffer[] = [];
  let wake = () => {};
  stream.on('data', (bytes: Buffer) => {
    try {
      waiting.push(...frames.feed(bytes));
    } catch (error) {
      end.fail(error instanceof HealthctlError ? error : failure(UNKNOWN, String(error)));
    }
    if (waiting.length >= MAX_WAITING) stream.pause();
    wake();
  });
  return {
    wake: () => wake(),
    next: async () => {
      for (;;) {
        const message = waiting.shift();
        if (message) {
          if (waiting.length === 0) stream.resume();
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

async function expire(timeoutMs: number, over: AbortSignal, end: Ending): Promise<void> {
  await systemClock.sleep(timeoutMs, over);
  if (!over.aborted) end.fail(failure(DEADLINE_EXCEEDED, 'deadline exceeded'));
}
