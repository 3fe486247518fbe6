import { type ClientHttp2Session, connect } from 'node:http2';
import { createConnection } from 'node:net';
import { HealthctlError } from '../lib/errors.ts';
import { type Call, type CallRequest, openCall } from './grpc-call.ts';
import type { CallOptions, Headers, Method, Transport } from './transport.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
/** Lists of thousands of containers and blobs come in megabytes: a window of HTTP/2's default 64 KiB would make each a round trip. */
const WINDOW_BYTES = 4 << 20;

/**
 * Talks gRPC over the Unix socket at `path`, on Node.js's own HTTP/2: one connection, made at the first call, and made again by the first
 * call after it was lost. Failures are translated into HealthctlError.
 */
export function openTransport(path: string): Transport {
  let current: Connection | undefined;
  const connection = (): Connection => {
    if (!current || current.session.closed || current.session.destroyed) current = openConnection(path);
    return current;
  };
  const open = <Q, S>(service: string, method: Method<Q, S>, headers: Headers, options: CallOptions): Call<Q, S> => {
    const { session, failure } = connection();
    const request: CallRequest<Q, S> = { service, method, headers, options, address: path };
    return openCall(session, request, failure);
  };
  return {
    unary: async (service, method, request, headers, options = {}) => {
      refuseAborted(method, options);
      const call = open(service, method, headers, { timeoutMs: DEFAULT_TIMEOUT_MS, ...options });
      void call.send(request);
      call.end();
      const answer = await call.receive();
      if (answer === undefined) throw new HealthctlError('CORRUPT', `containerd gave no answer to ${method.name}`);
      await call.receive(); // the status comes behind it
      return answer;
    },
    serverStream: async function* (service, method, request, headers, options = {}) {
      refuseAborted(method, options);
      const call = open(service, method, headers, options);
      void call.send(request);
      call.end();
      try {
        for (let message = await call.receive(); message !== undefined; message = await call.receive()) yield message;
      } finally {
        call.cancel(); // of no effect on one that has ended
      }
    },
    duplex: (service, method, headers, options = {}) => open(service, method, headers, options),
    close: () => current?.session.destroy(),
  };
}

function refuseAborted(method: { readonly name: string }, { signal }: CallOptions): void {
  if (signal?.aborted) throw new HealthctlError('ABORTED', `${method.name} was cancelled`);
}

interface Connection {
  readonly session: ClientHttp2Session;
  /** Why the connection failed, if it did. */
  failure(): Error | undefined;
}

function openConnection(path: string): Connection {
  let failure: Error | undefined;
  const session = connect('http://localhost', {
    createConnection: () => createConnection(path),
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
  });
  // Told by the calls that it cut off.
  session.on('error', (error: Error) => {
    failure = error;
  });
  session.once('connect', () => session.setLocalWindowSize(2 * WINDOW_BYTES));
  return { session, failure: () => failure };
}
