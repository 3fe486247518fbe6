import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { createFrameReader, frameMessage } from '../../containerd/grpc-frames.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode } from '../../lib/errors.ts';
import { GRPC_STATUS, type GrpcStatus, statusHeaders, timeoutMsFrom } from './grpc-status.ts';

/** A call with one request, on the server's side. */
export interface GrpcCall {
  readonly request: Buffer;
  readonly isOver: boolean;
  /**
   * Sends a message; `then` is called when it was sent, unless the call has ended. A caller that waits for it needs no
   * queue.
   */
  send(message: Uint8Array, then?: () => void): void;
  /** Ends the call, after the messages before it. The first end counts. */
  end(status: GrpcStatus): void;
  /** Called once: when the call was ended, cancelled, or its connection lost. */
  onEnd(listener: () => void): void;
}

/** A request contains one name. */
const MAX_REQUEST_BYTES = 4_096;
/** A client that has not sent its request by then never will. */
const REQUEST_LIMIT_MS = 10_000;

const HEADERS = {
  [constants.HTTP2_HEADER_STATUS]: 200,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
  'grpc-accept-encoding': 'identity',
};

/**
 * Reads a call's request and observes its deadline.
 *
 * @param onRequest called with the request, unless the call has ended
 */
export function openServerCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  clock: Clock,
  onRequest: (call: GrpcCall) => void,
): GrpcCall {
  const over = new AbortController();
  let request: Buffer = Buffer.alloc(0);
  let isAsked = false;
  let answered = false;
  let last: GrpcStatus = { code: GRPC_STATUS.ok };
  const end = (status: GrpcStatus): void => {
    if (over.signal.aborted) return;
    last = status;
    endStream(stream, status, { answered, clock });
    over.abort();
  };
  const call: GrpcCall = {
    get request() {
      return request;
    },
    get isOver() {
      return over.signal.aborted;
    },
    send: (message, then) => {
      if (over.signal.aborted) return;
      if (!answered) {
        answered = true;
        stream.once('wantTrailers', () => stream.sendTrailers(statusHeaders(last)));
        stream.respond(HEADERS, { waitForTrailers: true });
      }
      stream.write(frameMessage(message), (error) => {
        if (!error && !over.signal.aborted) then?.();
      });
    },
    end,
    onEnd: (listener) => over.signal.addEventListener('abort', listener, { once: true }),
  };
  stream.once('close', () => over.abort());
  if (stream.destroyed) over.abort();
  const timeoutMs = timeoutMsFrom(headerOf(headers, 'grpc-timeout'));
  const encoding = headerOf(headers, 'grpc-encoding') ?? 'identity';
  if (timeoutMs === undefined) end({ code: GRPC_STATUS.internal, details: 'malformed grpc-timeout' });
  else if (encoding !== 'identity')
    end({ code: GRPC_STATUS.unimplemented, details: 'compressed requests are not understood' });
  else void expire({ timeoutMs, clock, over: over.signal, end, isAsked: () => isAsked });
  readRequest(stream, over.signal, (read) => {
    if (over.signal.aborted) return;
    if ('code' in read) {
      end(read);
      return;
    }
    isAsked = true;
    request = read.message;
    onRequest(call);
  });
  return call;
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Earlier messages are sent first. */
function endStream(
  stream: ServerHttp2Stream,
  status: GrpcStatus,
  { answered, clock }: { readonly answered: boolean; readonly clock: Pick<Clock, 'after'> },
): void {
  if (stream.destroyed) return;
  if (answered) stream.end();
  else stream.respond({ ...HEADERS, ...statusHeaders(status) }, { endStream: true });
  stopReading(stream, clock);
}

/** A client may still be sending when it gets the answer. An immediate reset would cancel the queued answer. */
const RESET_AFTER_MS = 100;

/** Tells a client that keeps sending after its answer that its data is not read. */
export function stopReading(stream: ServerHttp2Stream, clock: Pick<Clock, 'after'>): void {
  if (stream.readableEnded) return;
  stream.resume();
  const { cancel } = clock.after(RESET_AFTER_MS, () => stream.close(constants.NGHTTP2_NO_ERROR));
  stream.once('close', cancel);
}

/**
 * Calls back once: with the one message, or with the status that explains why there is none. Later data is discarded.
 */
function readRequest(
  stream: ServerHttp2Stream,
  over: AbortSignal,
  then: (read: { readonly message: Buffer } | GrpcStatus) => void,
): void {
  const frames = createFrameReader(MAX_REQUEST_BYTES);
  let message: Buffer | undefined;
  let isSettled = false;
  const settle = (read: { readonly message: Buffer } | GrpcStatus): void => {
    if (isSettled) return;
    isSettled = true;
    then(read);
  };
  stream.on('data', (bytes: Buffer) => {
    if (isSettled || over.aborted) return;
    try {
      const [first, ...more] = frames.feed(bytes);
      if (first && (message || more.length > 0))
        settle({ code: GRPC_STATUS.internal, details: 'more than one request' });
      message ??= first;
    } catch (error) {
      settle(frameErrorStatus(error));
    }
  });
  stream.once('end', () => settle(message ? { message } : { code: GRPC_STATUS.internal, details: 'no request' }));
}

function frameErrorStatus(error: unknown): GrpcStatus {
  if (hasCode(error, 'EXHAUSTED'))
    return { code: GRPC_STATUS.exhausted, details: `the request is larger than ${MAX_REQUEST_BYTES} bytes` };
  // PROTOCOL-HTTP2: a message marked as compressed, in a call without an encoding.
  if (hasCode(error, 'CORRUPT'))
    return { code: GRPC_STATUS.internal, details: 'the request is compressed without grpc-encoding' };
  throw error;
}

async function expire(call: {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly over: AbortSignal;
  readonly end: GrpcCall['end'];
  readonly isAsked: () => boolean;
}): Promise<void> {
  const { timeoutMs, clock, over, end, isAsked } = call;
  const firstMs = Math.min(timeoutMs, REQUEST_LIMIT_MS);
  await clock.sleep(firstMs, over);
  if (over.aborted) return;
  if (isAsked() && timeoutMs > firstMs) {
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    await clock.sleep(timeoutMs - firstMs, over);
  }
  end({ code: GRPC_STATUS.deadlineExceeded, details: isAsked() ? 'deadline exceeded' : 'no request came in time' });
}
