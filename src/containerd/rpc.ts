import type { CallOptions, Duplex, Headers, Method, Transport } from './transport.ts';

/** A transport with its headers set, for the wrappers of the services. */
export interface Rpc {
  call<Q, S>(service: Service, method: Method<Q, S>, request: Q, options?: CallOptions): Promise<S>;
  stream<Q, S>(service: Service, method: Method<Q, S>, request: Q, options?: CallOptions): AsyncIterable<S>;
  duplex<Q, S>(service: Service, method: Method<Q, S>, options?: CallOptions): Duplex<Q, S>;
}

/** A generated service definition. */
interface Service {
  readonly fullName: string;
}

export function openRpc(transport: Transport, headers: Headers): Rpc {
  return {
    call: (service, method, request, options) => transport.unary(service.fullName, method, request, headers, options),
    stream: (service, method, request, options) =>
      transport.serverStream(service.fullName, method, request, headers, options),
    duplex: (service, method, options) => transport.duplex(service.fullName, method, headers, options),
  };
}
