import {
  type ChannelOptions,
  credentials,
  type Client as GrpcClient,
  Metadata,
  makeGenericClientConstructor,
} from '@grpc/grpc-js';
import { systemClock } from '../lib/clock.ts';
import { type RpcFailure, translateRpcError } from './errors.ts';

/** A method as ts-proto describes it: its codecs and kind. */
export interface Method<Request, Response> {
  readonly name: string;
  readonly requestType: { encode(message: Request): { finish(): Uint8Array } };
  readonly responseType: { decode(bytes: Uint8Array): Response };
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of the whole call, in milliseconds. Default 60 s for single answers, none for streams and for `Tasks.Wait`. 0: none. */
  readonly timeoutMs?: number;
}

/** A call's header fields, e.g. `containerd-namespace`. */
export type Headers = Readonly<Record<string, string>>;

/** A stream in both directions. `send` resolves when the message was taken, so that a slow receiver slows the sender down. */
export interface Duplex<Request, Response> {
  send(message: Request): Promise<void>;
  /** The next answer, undefined at the end. */
  receive(): Promise<Response | undefined>;
  /** No more requests. */
  end(): void;
  cancel(): void;
}

/** How we talk gRPC to containerd: the port behind which the gRPC library stays. */
export interface Transport {
  unary<Q, S>(service: string, method: Method<Q, S>, request: Q, headers: Headers, options?: CallOptions): Promise<S>;
  serverStream<Q, S>(
    service: string,
    method: Method<Q, S>,
    request: Q,
    headers: Headers,
    options?: CallOptions,
  ): AsyncIterable<S>;
  duplex<Q, S>(service: string, method: Method<Q, S>, headers: Headers, options?: CallOptions): Duplex<Q, S>;
  close(): void;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** containerd itself sends at most 16 MiB in one message. */
const MAX_MESSAGE_BYTES = 16 << 20;

const CHANNEL: ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5_000,
};

/** Opens a channel to the Unix socket at `path`. Nothing is sent before the first call; failures are translated into HealthctlError. */
export function openTransport(path: string): Transport {
  // The authority of a Unix socket would be its path, percent-encoded, which containerd's server refuses.
  const Client = makeGenericClientConstructor({}, 'containerd');
  const client: GrpcClient = new Client(`unix:${path}`, credentials.createInsecure(), {
    ...CHANNEL,
    'grpc.default_authority': 'localhost',
  });
  return {
    unary: (service, method, request, headers, options = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = options;
        const fail = (error: unknown) => reject(translateRpcError(error as RpcFailure, path, method.name, signal));
        if (signal?.aborted) return fail(undefined);
        const call = client.makeUnaryRequest(
          pathOf(service, method),
          encoder(method),
          decoder(method),
          request,
          metadataOf(headers),
          callOptions(options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
          (error, response) => {
            signal?.removeEventListener('abort', cancel);
            if (error) fail(error);
            else resolve(response as NonNullable<typeof response>);
          },
        );
        const cancel = () => call.cancel();
        signal?.addEventListener('abort', cancel, { once: true });
      }),
    serverStream: (service, method, request, headers, options = {}) => {
      const call = () =>
        client.makeServerStreamRequest(
          pathOf(service, method),
          encoder(method),
          decoder(method),
          request,
          metadataOf(headers),
          callOptions(options.timeoutMs ?? 0),
        );
      return readStream(
        call,
        (error) => translateRpcError(error as RpcFailure, path, method.name, options.signal),
        options.signal,
      );
    },
    duplex: (service, method, headers, options = {}) => {
      const call = client.makeBidiStreamRequest(
        pathOf(service, method),
        encoder(method),
        decoder(method),
        metadataOf(headers),
        callOptions(options.timeoutMs ?? 0),
      );
      return openDuplex(
        call,
        (error) => translateRpcError(error as RpcFailure, path, method.name, options.signal),
        options.signal,
      );
    },
    close: () => client.close(),
  };
}

const pathOf = (service: string, method: { name: string }) => `/${service}/${method.name}`;

function encoder<Q>(method: Method<Q, unknown>): (message: Q) => Buffer {
  return (message) => {
    const bytes = method.requestType.encode(message).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function decoder<S>(method: Method<never, S>): (bytes: Buffer) => S {
  return (bytes) => method.responseType.decode(bytes);
}

function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  return metadata;
}

function callOptions(timeoutMs: number): { deadline?: Date } {
  return timeoutMs > 0 ? { deadline: new Date(systemClock.now() + timeoutMs) } : {};
}

/** The part of grpc-js's client calls that streams need. */
interface ReadableCall<S> {
  on(event: 'data', listener: (message: S) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  cancel(): void;
}

async function* readStream<S>(
  open: () => ReadableCall<S>,
  translate: (error: unknown) => Error,
  signal?: AbortSignal,
): AsyncGenerator<S> {
  if (signal?.aborted) throw translate(undefined);
  const call = open();
  const inbox = openInbox<S>(call);
  const cancel = () => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  let ended = false;
  try {
    for (;;) {
      const message = await inbox.next();
      if (message === undefined) break;
      yield message;
    }
    ended = true;
  } catch (error) {
    ended = true;
    throw translate(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    if (!ended) call.cancel();
  }
}

/** Messages wait here until they are asked for; the stream is paused while more than a few wait. */
function openInbox<S>(call: ReadableCall<S>): { next(): Promise<S | undefined> } {
  const waiting: S[] = [];
  let ended = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const signalWaiter = () => {
    wake?.();
    wake = undefined;
  };
  call.on('data', (message) => {
    waiting.push(message);
    if (waiting.length >= 16) call.pause();
    signalWaiter();
  });
  call.on('end', () => {
    ended = true;
    signalWaiter();
  });
  call.on('error', (error) => {
    failure = error;
    signalWaiter();
  });
  return {
    next: async () => {
      for (;;) {
        const message = waiting.shift();
        if (message !== undefined) {
          if (waiting.length === 0) call.resume();
          return message;
        }
        if (failure) throw failure;
        if (ended) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

interface WritableCall<Q, S> extends ReadableCall<S> {
  write(message: Q, done: (error?: Error | null) => void): boolean;
  end(): unknown;
}

function openDuplex<Q, S>(
  call: WritableCall<Q, S>,
  translate: (error: unknown) => Error,
  signal?: AbortSignal,
): Duplex<Q, S> {
  const inbox = openInbox<S>(call);
  const unsettled = new Set<() => void>();
  let isOver = false;
  const settle = () => {
    isOver = true;
    for (const resolve of unsettled) resolve();
    unsettled.clear();
  };
  call.on('end', settle);
  call.on('error', settle);
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  return {
    // A write that fails because the server ended the call says only "write after end": the reason comes with the next answer.
    // A call that was cancelled drops what waits to be written without a word.
    send: (message) =>
      new Promise((resolve) => {
        if (isOver) return resolve();
        unsettled.add(resolve);
        call.write(message, () => {
          unsettled.delete(resolve);
          resolve();
        });
      }),
    receive: async () => {
      try {
        return await inbox.next();
      } catch (error) {
        throw translate(error);
      }
    },
    end: () => call.end(),
    cancel: () => {
      signal?.removeEventListener('abort', cancel);
      call.cancel();
    },
  };
}
