import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex, type Readable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { watchBody } from './body-watch.ts';
import { type Exchange, exchangeOf, upgradeOf } from './connection.ts';
import { EngineError, statusOf } from './errors.ts';
import { RAW } from './frames.ts';
import { checkJsonType, parseJsonBody } from './json-body.ts';
import { watchPeer } from './peer-watch.ts';
import { queryOf } from './query.ts';
import { type Answer, type Call, json, plain, type Route } from './route.ts';
import { createRouter, type Matched } from './router.ts';
import { createTurns } from './turns.ts';
import { API_VERSION_TEXT, DOCKER_VERSION } from './version.ts';

/**
 * Docker's Engine API for one containerd namespace: requests in, answers out. It knows no sockets to listen on and no
 * monitor.
 *
 * INVARIANT: when a client is gone, the signal of its call has fired, and nothing is written to it any more.
 */
export interface Engine {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** A request that asks to upgrade its connection. */
  handleUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /** Ends all calls in flight. */
  stop(): void;
  /** Calls in flight. */
  readonly busy: number;
}

export interface EngineParts {
  readonly routes: readonly Route[];
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  readonly clock: Pick<Clock, 'after'>;
}

/** Docker refuses longer documents nowhere; a container's has some kilobytes. */
const MAX_JSON_BYTES = 4 << 20;

/** On every answer but the head of attach. */
const HEADERS: Readonly<Record<string, string>> = {
  'Api-Version': API_VERSION_TEXT,
  'Docker-Experimental': 'false',
  Ostype: 'linux',
  Server: `Docker/${DOCKER_VERSION} (linux)`,
};

export function createEngine({ routes, log, clock }: EngineParts): Engine {
  const router = createRouter(routes);
  /** Of the calls in flight: one signal for all, with AbortSignal.any, would remember each call. */
  const calls = new Set<AbortController>();
  let isOver = false;
  const takeTurn = createTurns();

  const serve = async (exchange: Exchange): Promise<void> => {
    const { request, response, socket } = exchange;
    const gone = new AbortController();
    const { signal } = gone;
    // An answer may need many calls to containerd at once, and each listens.
    setMaxListeners(0, signal);
    const leave = (): void => gone.abort();
    calls.add(gone);
    if (isOver) leave();
    response.once('close', leave);
    // A response that was detached from its socket hears nothing of it.
    socket.once('close', leave);
    const endWatch = exchange.hasBody ? watchBody(request, clock) : undefined;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    // Docker leaves it out: a connection of HTTP/1.1 stays.
    if (!exchange.isUpgrade) response.removeHeader('Connection');
    const begun: Begun = { hijacked: undefined, endWatch };
    try {
      const matched = router.match(request.method ?? 'GET', request.url ?? '/');
      const answer = await matched.route.handle(callOf(exchange, { matched, signal, begun }));
      if (answer) send(exchange, answer, clock);
      else if (begun.hijacked) endStream(begun.hijacked, clock);
      else {
        if (exchange.hasBody && !exchange.isUpgrade) dropRest(exchange, clock);
        response.end();
      }
    } catch (error) {
      if (!signal.aborted) refuse(exchange, { error, begun, log, clock });
      else (begun.hijacked ?? socket).destroy();
    } finally {
      socket.off('close', leave);
      calls.delete(gone);
      // The rest of an ordinary body is read off after the answer.
      if (exchange.isUpgrade) endWatch?.();
    }
  };
  return {
    handle: (request, response) => takeTurn(request, response, () => void serve(exchangeOf(request, response))),
    handleUpgrade: (request, socket, head) => {
      const exchange = upgradeOf(request, socket, head);
      watchPeer(socket, clock);
      // Answered like any other request.
      exchange.response.once('finish', () => endStream(socket, clock));
      void serve(exchange);
    },
    stop: () => {
      isOver = true;
      for (const call of calls) call.abort(new Error('the engine stops'));
    },
    get busy() {
      return calls.size;
    },
  };
}

/** How long a client may take to read what it was sent last: the user of a pager reads slowly. */
const READ_LIMIT_MS = 60 * 60_000;
/** How long a client may take to close its side of a connection that has ended. */
const CLOSE_LIMIT_MS = 10_000;

/** Ends our side, and drops what the client still sends: closing before it was read would look like a failure. */
function endStream(stream: Duplex, clock: EngineParts['clock']): void {
  const cutOff = (): void => void stream.destroy();
  let late = clock.after(READ_LIMIT_MS, cutOff);
  stream.once('close', () => late.cancel());
  stream.end(() => {
    late.cancel();
    if (!stream.destroyed) late = clock.after(CLOSE_LIMIT_MS, cutOff);
  });
  stream.resume();
}

interface Begun {
  hijacked: Duplex | undefined;
  /** Of the body. */
  readonly endWatch: (() => void) | undefined;
}

/** The longest rest of a body that is read off, so that the connection can serve another request: as in Go. */
const MAX_UNREAD_BYTES = 256 << 10;

function send(exchange: Exchange, { status, headers = {}, body = '' }: Answer, clock: EngineParts['clock']): void {
  const { request, response, isUpgrade, hasBody } = exchange;
  const bytes = Buffer.from(body);
  const isBodyless = status === 204 || status === 304;
  const isLong = Number(request.headers['content-length']) > MAX_UNREAD_BYTES;
  if (hasBody && !request.complete && (isLong || request.destroyed)) response.setHeader('Connection', 'close');
  if (hasBody && !isUpgrade) endAfterRest(exchange, clock);
  response.writeHead(status, isBodyless ? headers : { ...headers, 'Content-Length': bytes.length });
  if (hasBody && !isUpgrade) dropRest(exchange, clock);
  response.end(isBodyless || request.method === 'HEAD' ? undefined : bytes);
}

/**
 * Reads what is left of a body and drops it, after the answer; ends the connection if it is long, does not come, or can
 * no longer be read. Unread, it would hide that the client goes away.
 */
function dropRest({ request, response, socket }: Exchange, clock: EngineParts['clock']): void {
  if (request.complete || socket.destroyed) return;
  const late = clock.after(CLOSE_LIMIT_MS, () => socket.destroy());
  socket.once('close', () => late.cancel());
  if (request.destroyed) {
    // By `pipeline` of Node.js, which leaves the connection to us.
    response.once('finish', () => socket.destroySoon());
    return;
  }
  request.once('close', () => late.cancel());
  // A reader that was given up half-way keeps it from flowing.
  request.removeAllListeners('readable');
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_UNREAD_BYTES) endUnread({ request, socket }, clock);
  });
  request.resume();
}

/** Node.js closes the connection after its last answer at once, whatever the client still sends. */
function endAfterRest({ request, socket }: Exchange, clock: EngineParts['clock']): void {
  if (request.complete || request.destroyed) return;
  socket.destroySoon = () => endUnread({ request, socket }, clock);
  // From then on that of the class counts again.
  request.once('end', () => Reflect.deleteProperty(socket, 'destroySoon'));
}

/** How long the other side of a connection stays open whose client may still be sending: as in Go. */
const UNREAD_LIMIT_MS = 500;

/** Ends our side, and a little later the connection: a client that sends meanwhile would see a failure, not the answer. */
function endUnread({ request, socket }: Pick<Exchange, 'request' | 'socket'>, clock: EngineParts['clock']): void {
  if (socket.writableEnded) return;
  request.pause();
  socket.end();
  const late = clock.after(UNREAD_LIMIT_MS, () => socket.destroy());
  socket.once('close', () => late.cancel());
}

interface Refused {
  readonly error: unknown;
  readonly begun: Begun;
  readonly log: EngineParts['log'];
  readonly clock: EngineParts['clock'];
}

function refuse(exchange: Exchange, { error, begun, log, clock }: Refused): void {
  const { request, response } = exchange;
  const message = messageOf(error);
  const status = statusOf(error);
  if (status >= 500 && !(error instanceof EngineError) && !hasCode(error, 'ABORTED'))
    log.warn(`Docker API: ${request.method} ${request.url?.slice(0, 200)}: ${message}`);
  if (begun.hijacked) return void begun.hijacked.destroy();
  if (response.headersSent) return void response.destroy();
  const isPlain = error instanceof EngineError && error.isPlain;
  send(exchange, isPlain ? plain(`${message}\n`, status) : json({ message }, status), clock);
}

interface CallParts {
  readonly matched: Matched;
  readonly signal: AbortSignal;
  readonly begun: Begun;
}

function callOf(exchange: Exchange, { matched: { version, part }, signal, begun }: CallParts): Call {
  const { request, response } = exchange;
  const [, search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
  const { headers } = request;
  return {
    ...{ version, part, query: queryOf(search), headers, signal, body: exchange.body },
    json: async ({ isRequired = false, type } = {}) => {
      const { hasBody } = exchange;
      checkJsonType({ contentType: headers['content-type'], hasBody });
      return hasBody || isRequired ? parseJsonBody(await textOf(exchange.body()), type) : {};
    },
    stream: ({ contentType, status = 200, headers: more = {} }) => {
      response.writeHead(status, contentType === undefined ? { ...more } : { ...more, 'Content-Type': contentType });
      response.flushHeaders();
      return { write: (chunk) => written(response, chunk) };
    },
    hijack: async (options) => {
      begun.hijacked = await hijacked(exchange, options);
      begun.endWatch?.();
      return { stream: begun.hijacked };
    },
  };
}

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_JSON_BYTES) throw new EngineError(413, `a body of more than ${MAX_JSON_BYTES} bytes is refused`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Resolves when the client has taken enough of what was written, or is gone. */
function written(response: ServerResponse, chunk: string | Uint8Array): Promise<void> {
  if (response.destroyed || response.write(chunk)) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.once('drain', settle);
    response.once('close', settle);
  });
}

async function hijacked(
  { request, response, isUpgrade, hasBody, body }: Exchange,
  { contentType, hasHeaders }: Parameters<Call['hijack']>[0],
): Promise<Duplex> {
  if (isUpgrade) {
    // What the client announced as a body is none of its input.
    if (hasBody) for await (const _ of body());
    const { socket } = request;
    response.detachSocket(socket);
    const more = hasHeaders ? HEADERS : {};
    const head = { 'Content-Type': contentType, Connection: 'Upgrade', Upgrade: 'tcp', ...more };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 101 UPGRADED\r\n${lines.join('')}\r\n`);
    return socket;
  }
  if (!hasHeaders) for (const name of Object.keys(HEADERS)) response.removeHeader(name);
  response.useChunkedEncodingByDefault = false;
  response.shouldKeepAlive = false;
  response.writeHead(200, { 'Content-Type': RAW });
  response.flushHeaders();
  return joined(request, response);
}

/** Both directions as one. A body of a known length is options; one without is the client's input. */
function joined(request: IncomingMessage, response: ServerResponse): Duplex {
  const hasInput = request.headers['transfer-encoding'] !== undefined;
  const duplex = new Duplex({
    read: () => void request.resume(),
    write: (chunk: Buffer, _encoding, done) => void written(response, chunk).then(() => done()),
    final: (done) => void response.end(done),
    destroy: (error, done) => {
      response.destroy();
      done(error);
    },
  });
  request.on('data', (chunk: Buffer) => {
    if (hasInput && !duplex.push(chunk)) request.pause();
  });
  const end = (): void => {
    if (!duplex.readableEnded) duplex.push(null);
  };
  if (request.readableEnded) end();
  else request.once('end', end);
  response.once('close', () => duplex.destroy());
  return duplex;
}
