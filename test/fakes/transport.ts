import type { CallOptions, Headers, Method, Transport } from '../../src/containerd/transport.ts';
import { HealthctlError } from '../../src/lib/errors.ts';

/**
 * The answers of a fake containerd: by the last part of the service's name and the method, e.g. `Tasks/List`. One
 * answer, or a list for a stream.
 */
export type Handlers = Readonly<Record<string, (request: never, headers: Headers) => unknown>>;

export interface FakeTransport extends Transport {
  /** The calls so far, e.g. `Tasks/List`. */
  readonly calls: readonly string[];
}

/** A containerd in memory. Requests and answers pass through the generated codecs, so an invalid message fails. */
export function createFakeTransport(handlers: Handlers): FakeTransport {
  const calls: string[] = [];
  const answer = (service: string, method: Method<never, never>, request: unknown, headers: Headers): unknown => {
    const name = `${service.split('.').at(-1)}/${method.name}`;
    calls.push(name);
    const handler = handlers[name];
    if (!handler) throw new HealthctlError('INTERNAL', `the fake containerd has no ${name}`);
    const sent = method.requestType.encode(request as never).finish();
    const received = (method.requestType as unknown as { decode(bytes: Uint8Array): never }).decode(sent);
    return handler(received, headers);
  };
  return {
    calls,
    unary: async <Q, S>(service: string, method: Method<Q, S>, request: Q, headers: Headers, options?: CallOptions) => {
      if (options?.signal?.aborted) throw new HealthctlError('ABORTED', `${method.name} was cancelled`);
      return (await answer(service, method as Method<never, never>, request, headers)) as S;
    },
    serverStream: async function* <Q, S>(service: string, method: Method<Q, S>, request: Q, headers: Headers) {
      yield* (await answer(service, method as Method<never, never>, request, headers)) as S[];
    },
    duplex: () => {
      throw new HealthctlError('INTERNAL', 'the fake containerd has no duplex calls');
    },
    close: () => {},
  };
}
