/** A method in the form of ts-proto: its name and codecs. */
export interface Method<Request, Response> {
  readonly name: string;
  readonly requestType: { encode(message: Request): { finish(): Uint8Array } };
  readonly responseType: { decode(bytes: Uint8Array): Response };
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /**
   * Deadline of the whole call, in milliseconds. Default 60 s for single answers, none for streams and for
   * `Tasks.Wait`. 0: none.
   */
  readonly timeoutMs?: number;
}

/** A call's header fields, e.g. `containerd-namespace`. */
export type Headers = Readonly<Record<string, string>>;

/** A stream in both directions. */
export interface Duplex<Request, Response> {
  /**
   * Resolves when the message was received, so that a slow receiver slows the sender down, or when the call has ended:
   * `receive` gives the reason.
   */
  send(message: Request): Promise<void>;
  /** The next answer, undefined at the end. Throws HealthctlError. */
  receive(): Promise<Response | undefined>;
  /** No more requests. */
  end(): void;
  cancel(): void;
}

/** gRPC to containerd: the port below the wrappers of the services. Failures are HealthctlErrors (see errors.ts). */
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
