import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { encodeJson } from '../lib/json.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import { freeSocketPath } from '../system/own-file.ts';
import type { ErrorAnswer } from './api.ts';
import { type Service, Unwatched } from './service.ts';
import { API_HEADER, API_VERSION } from './version.ts';

export interface ApiServerOptions {
  /** The socket, mode 0600, or 0660 with a group. */
  readonly path: string;
  readonly groupId: number | undefined;
  readonly service: Service;
  readonly streams: EventStreams;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  /** Somebody asked the monitor to end. */
  readonly onStop: () => void;
}

/** Events for whoever follows them. */
export interface EventStreams {
  /**
   * Throws USAGE for what cannot be asked.
   *
   * @returns writes lines until the signal fires, or to the end of what was asked for
   */
  open(query: URLSearchParams): (write: (line: string) => Promise<void>, signal: AbortSignal) => Promise<void>;
}

/** The API on a Unix socket. */
export interface ApiServer {
  start(): Promise<void>;
  /** Takes no more requests; those under way are cut off after a moment. Idempotent. */
  stop(): Promise<void>;
  /** Requests under way: a monitor that is asked something is not idle. */
  readonly busy: number;
}

interface Request {
  /** Decoded parts of the path that the route names. */
  readonly part: (name: string) => string;
  readonly query: URLSearchParams;
  /** Fires when the client goes away, or the server stops. */
  readonly signal: AbortSignal;
  readonly response: ServerResponse;
}

interface Route {
  readonly method: string;
  readonly path: string;
  /** What is sent as JSON; undefined for an answer without a body, or one that was sent already. */
  handle(request: Request): unknown;
}

const CONTAINER = '/namespaces/{namespace}/containers/{name}';
/** How long a request that is under way may still take when the server stops. */
const STOP_LIMIT_MS = 500;

/** Every route there is; docs/openapi.json describes each, and a test holds the two together. */
export function routesOf({
  service,
  streams,
  onStop,
}: Pick<ApiServerOptions, 'service' | 'streams' | 'onStop'>): readonly Route[] {
  return [
    { method: 'GET', path: '/daemon', handle: () => service.status() },
    {
      method: 'POST',
      path: '/daemon/stop',
      handle: ({ response }) => {
        response.once('close', onStop);
      },
    },
    {
      method: 'GET',
      path: '/namespaces/{namespace}/containers',
      handle: ({ part }) => service.list(part('namespace')),
    },
    { method: 'GET', path: CONTAINER, handle: ({ part }) => service.inspect(part('namespace'), part('name')) },
    {
      method: 'DELETE',
      path: CONTAINER,
      handle: ({ part, query, signal }) =>
        service.remove(part('namespace'), part('name'), {
          force: query.get('force') === '1',
          volumes: query.get('volumes') === '1',
          signal,
        }),
    },
    {
      method: 'GET',
      path: `${CONTAINER}/health`,
      handle: ({ part }) => service.health(part('namespace'), part('name')),
    },
    { method: 'GET', path: `${CONTAINER}/healthz`, handle: (request) => answerHealthz(service, request) },
    {
      method: 'POST',
      path: `${CONTAINER}/healthcheck`,
      handle: ({ part, signal }) => service.check(part('namespace'), part('name'), signal),
    },
    {
      method: 'POST',
      path: `${CONTAINER}/refresh`,
      handle: ({ part }) => service.refresh(part('namespace'), part('name')),
    },
    { method: 'GET', path: '/events', handle: (request) => streamEvents(streams, request) },
  ];
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { path, groupId, clock, log } = options;
  const routes = routesOf(options);
  let over = new AbortController();
  let server: Server | undefined;
  let busy = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    busy += 1;
    const gone = new AbortController();
    response.once('close', () => {
      busy -= 1;
      gone.abort();
    });
    response.setHeader(API_HEADER, `${API_VERSION}`);
    request.resume(); // no request has a body that is looked at
    try {
      const { route, part, query } = match(routes, request);
      const value = await route.handle({ part, query, response, signal: AbortSignal.any([gone.signal, over.signal]) });
      if (!response.headersSent) sendJson(response, value === undefined ? 204 : 200, value);
    } catch (error) {
      if (!(error instanceof HealthctlError) && !(error instanceof Unwatched))
        log.warn(`${request.method} ${request.url}: ${messageOf(error)}`);
      if (error instanceof WrongMethod) response.setHeader('allow', error.allowed.join(', '));
      if (response.headersSent) response.destroy();
      else sendJson(response, statusOf(error), errorAnswerOf(error));
    }
  };
  return {
    get busy() {
      return busy;
    },
    start: async () => {
      freeSocketPath(path, (text) => log.warn(text)); // of a monitor that was killed: we hold the lock
      over = new AbortController();
      const made = createServer((request, response) => void answer(request, response));
      server = made;
      await new Promise<void>((resolve, reject) => {
        made.once('error', reject);
        made.listen(path, () => resolve());
      });
      chmodSync(path, groupId === undefined ? 0o600 : 0o660);
      if (groupId !== undefined) chownSync(path, 0, groupId);
      made.removeAllListeners('error');
      made.on('error', (error) => log.warn(`API: ${error.message}`));
    },
    stop: async () => {
      const stopped = server;
      server = undefined;
      if (!stopped) return;
      over.abort();
      const closed = new Promise<void>((resolve) => stopped.close(() => resolve()));
      stopped.closeIdleConnections();
      const inTime = new AbortController();
      void clock.sleep(STOP_LIMIT_MS, inTime.signal).then(() => stopped.closeAllConnections());
      await closed;
      inTime.abort();
      rmSync(path, { force: true });
    },
  };
}

function match(
  routes: readonly Route[],
  { method = 'GET', url = '/' }: IncomingMessage,
): { readonly route: Route; readonly part: Request['part']; readonly query: URLSearchParams } {
  const [path = '', search = ''] = url.split('?', 2);
  const prefix = `/v${API_VERSION}/`;
  if (!path.startsWith(prefix))
    throw new HealthctlError('NOT_FOUND', `no such path: ${path}`, { hint: `paths begin with ${prefix}` });
  const words = path.slice(prefix.length).split('/');
  const fitting = routes.flatMap((route) => {
    const parts = partsOf(route.path.slice(1).split('/'), words);
    return parts ? [{ route, parts }] : [];
  });
  const found = fitting.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method));
  if (!found) {
    if (fitting.length === 0) throw new HealthctlError('NOT_FOUND', `no such path: ${path}`);
    throw new WrongMethod(
      `${method} is not for ${path}`,
      fitting.map(({ route }) => route.method),
    );
  }
  return { route: found.route, part: (name) => found.parts.get(name) ?? '', query: new URLSearchParams(search) };
}

function partsOf(pattern: readonly string[], words: readonly string[]): ReadonlyMap<string, string> | undefined {
  if (pattern.length !== words.length) return undefined;
  const parts = new Map<string, string>();
  for (const [index, expected] of pattern.entries()) {
    const word = words[index] ?? '';
    if (expected.startsWith('{')) parts.set(expected.slice(1, -1), decoded(word));
    else if (expected !== word) return undefined;
  }
  return parts;
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** 200 while a container is healthy, or runs without a check; 503 otherwise: what load balancers ask. */
function answerHealthz(service: Service, { part, response }: Request): void {
  const { status, isUp } = service.serving(part('namespace'), part('name'));
  const serves = status === 'healthy' || (status === 'none' && isUp);
  const text = `${status}\n`;
  response.writeHead(serves ? 200 : 503, {
    'content-type': 'text/plain',
    'content-length': text.length,
  });
  response.end(text);
}

async function streamEvents(streams: EventStreams, { query, signal, response }: Request): Promise<void> {
  const serve = streams.open(query);
  // At once, so that the client knows that it follows.
  response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders();
  const write = (line: string): Promise<void> => {
    if (response.write(`${line}\n`) || response.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const go = (): void => {
        response.off('drain', go);
        response.off('close', go);
        resolve();
      };
      response.once('drain', go);
      response.once('close', go);
    });
  };
  await serve(write, signal);
  // An empty line tells the end of what was asked for from a monitor that ends, or was killed.
  response.end(signal.aborted ? '' : '\n');
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  if (status === 204) {
    response.writeHead(204);
    response.end();
    return;
  }
  const body = Buffer.from(encodeJson(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

/** A path that there is, asked for what it does not do. The answer names what it does (RFC 9110, 15.5.6). */
class WrongMethod extends HealthctlError {
  readonly allowed: readonly string[];
  constructor(message: string, allowed: readonly string[]) {
    super('USAGE', message);
    this.allowed = allowed;
  }
}

const STATUSES: Partial<Readonly<Record<ErrorCode, number>>> = {
  USAGE: 400,
  INVALID: 400,
  DENIED: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  AMBIGUOUS: 409,
  ALREADY_EXISTS: 409,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
};

function statusOf(error: unknown): number {
  if (error instanceof Unwatched) return 404;
  if (error instanceof WrongMethod) return 405;
  return (error instanceof HealthctlError ? STATUSES[error.code] : undefined) ?? 500;
}

function errorAnswerOf(error: unknown): ErrorAnswer {
  if (error instanceof Unwatched) return { code: error.code, message: error.message };
  if (!(error instanceof HealthctlError)) return { code: 'INTERNAL', message: messageOf(error) };
  const { code, message, hint, exitCode } = error;
  return {
    ...{ code, message },
    ...(hint === undefined ? {} : { hint }),
    ...(exitCode === undefined ? {} : { exitCode }),
  };
}
