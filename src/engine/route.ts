import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { encodeJson } from '../lib/json.ts';
import type { JsonObject } from '../lib/shape.ts';
import type { Query } from './query.ts';
import type { ApiVersion } from './version.ts';

/** An answer that is complete when the handler returns. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text, bytes, or nothing. */
  readonly body?: string | Buffer;
}

/**
 * An answer that is written piece by piece.
 *
 * @public
 */
export interface StreamedAnswer {
  /** Resolves when the client has taken enough; what is written to a client that is gone is lost. */
  write(chunk: string | Uint8Array): Promise<void>;
}

/**
 * A connection that carries bytes from now on.
 *
 * @public
 */
export interface Hijacked {
  /**
   * The client's bytes, which end when it shuts down its side, and the way to it. It ends when the handler returns; cut
   * off if that throws. Read it by its events: iterating over it destroys it at the end of the input.
   */
  readonly stream: Duplex;
}

/** A request to the engine. */
export interface Call {
  /** Of the path, or the newest. */
  readonly version: ApiVersion;
  /** A decoded part of the path, by the route's name for it. */
  part(name: string): string;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** Fires when the client is gone, or the engine stops. */
  readonly signal: AbortSignal;
  /**
   * The body as a JSON object; an empty one without a body. Throws INVALID in Docker's words.
   *
   * @param options.isRequired a missing body is refused
   */
  json(options?: { readonly isRequired?: boolean; readonly type?: string }): Promise<JsonObject>;
  /** The body as bytes, of whatever type. */
  body(): Readable;
  /** Sends the head at once. The answer ends when the handler returns; if it throws then, the connection is cut. */
  stream(options: {
    readonly contentType?: string;
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
  }): StreamedAnswer;
  /**
   * Takes the connection over: 101 for a client that asked to upgrade, else 200 and bytes until the end.
   *
   * @param options.contentType of an upgraded connection; one that was not has Docker's raw stream
   * @param options.hasHeaders whether the head has the headers of other answers: that of attach has not
   */
  hijack(options: { readonly contentType: string; readonly hasHeaders: boolean }): Promise<Hijacked>;
}

/**
 * One route. In a path, `{name}` takes everything up to what follows, slashes included: names of images have some. The
 * first route that fits is taken, so a more special one comes first.
 */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';
  readonly path: string;
  /** The answer; undefined if `call.stream` or `call.hijack` has begun one. */
  handle(call: Call): Promise<Answer | undefined> | Answer | undefined;
}

/** An answer in JSON, ended by a newline as Docker's. */
export function json(value: unknown, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: `${encodeJson(value)}\n` };
}

/** An answer without a body. */
export const empty = (status = 204): Answer => ({ status });

export const plain = (text: string, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: text,
});
