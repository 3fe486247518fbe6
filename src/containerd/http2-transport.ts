import { createConnection } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { type Call, openCall } from './grpc-call.ts';
import { type Connection, openConnection } from './http2/connection.ts';
import type { CallOptions, Headers, Method, Transport } from './transport.ts';

const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Speaks gRPC over the Unix socket at `path`: one HTTP/2 connection, opened by the first call, and again by the first
 * call after it was lost. Failures are translated into HealthctlError.
 */
export function openTransport(path: string, clock: Pick<Clock, 'after'>): Transport {
  let current: Connection | undefined;
  const connection = (): Connection => {
    if (!current?.isUsable) current = openConnection(createConnection(path), clock);
    return current;
  };
  const open = <Q, S>(service: string, method: Method<Q, S>, headers: Headers, options: CallOptions): Call<Q, S> => {
    return openCall(connection(), { service, method, headers, options, address: path });
  };
  return {
    unary: async (service, method, request, headers, options = {}) => {
      refuseAborted(method, options);
      const call = open(service, method, headers, { timeoutMs: DEFAULT_TIMEOUT_MS, ...options });
      void call.send(request);
      call.end();
      const answer = await call.receive();
      if (answer === undefined) throw new HealthctlError('CORRUPT', `containerd gave no answer to ${method.name}`);
      await call.receive(); // the status follows it
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
        call.cancel(); // no effect on one that has ended
      }
    },
    duplex: (service, method, headers, options = {}) => open(service, method, headers, options),
    close: () => current?.destroy(),
  };
}

function refuseAborted(method: { readonly name: string }, { signal }: CallOptions): void {
  if (signal?.aborted) throw new HealthctlError('ABORTED', `${method.name} was cancelled`);
}
