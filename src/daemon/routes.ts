import type { IncomingMessage, ServerResponse } from 'node:http';
import { HealthctlError } from '../lib/errors.ts';
import { checkIdentifier } from '../lib/identifier.ts';
import type { Service } from './api/service.ts';
import { API_VERSION } from './api/version.ts';
import type { MetricsAnswerer } from './metrics/answer.ts';

/** Events for followers. */
export interface EventStreams {
  /**
   * Throws USAGE for an invalid query.
   *
   * @returns a function that writes lines until the signal fires, or to the end of the requested range
   */
  open(query: URLSearchParams): (write: (line: string) => Promise<void>, signal: AbortSignal) => Promise<void>;
}

export interface RouteParts {
  readonly service: Service;
  readonly streams: EventStreams;
  readonly metrics: MetricsAnswerer;
  /** Writes what the history has not written yet. */
  readonly flushHistory: () => Promise<void>;
  /** A client asked the monitor to end. */
  readonly onStop: () => void;
}

export interface Request {
  /** Decoded parts of the path, by the route's names. */
  readonly part: (name: string) => string;
  readonly query: URLSearchParams;
  /** Fires when the client disconnects, or the server stops. */
  readonly signal: AbortSignal;
  readonly response: ServerResponse;
}

export interface Route {
  readonly method: string;
  readonly path: string;
  /** Without the version of the API in front: a path that other programs expect. */
  readonly isUnversioned?: true;
  /**
   * Whether it changes something: done only while the client is connected, because one that gave up counts it as not
   * done.
   */
  readonly isAct?: true;
  /** The value to send as JSON; undefined for an answer without a body, or one that was already sent. */
  handle(request: Request): unknown;
}

const CONTAINER = '/namespaces/{namespace}/containers/{name}';
/** All routes; docs/openapi.json describes each, and a test compares the two. */
export function routesOf({ service, streams, metrics, flushHistory, onStop }: RouteParts): readonly Route[] {
  return [
    { method: 'GET', path: '/daemon', handle: () => service.status() },
    {
      method: 'DELETE',
      path: '/daemon/{id}',
      isAct: true,
      handle: ({ part, response }) => {
        if (part('id') !== service.status().id)
          throw new HealthctlError('NOT_FOUND', `this monitor has another id than ${part('id')}: that one has ended`);
        response.once('finish', onStop);
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
      isAct: true,
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
      isAct: true,
      handle: ({ part, signal }) => service.check(part('namespace'), part('name'), signal),
    },
    {
      method: 'POST',
      path: `${CONTAINER}/refresh`,
      handle: ({ part }) => service.refresh(part('namespace'), part('name')),
    },
    { method: 'POST', path: '/history/flush', handle: () => flushHistory() },
    { method: 'GET', path: '/events', handle: (request) => streamEvents(streams, request) },
    { method: 'GET', path: '/metrics', isUnversioned: true, handle: ({ response }) => metrics.answer(response) },
  ];
}

/** The route of a request. Throws NOT_FOUND, and WrongMethod. */
export function match(
  routes: readonly Route[],
  { method = 'GET', url = '/' }: IncomingMessage,
): { readonly route: Route; readonly part: Request['part']; readonly query: URLSearchParams } {
  const [path = '', search = ''] = url.split('?', 2);
  const prefix = `/v${API_VERSION}/`;
  const fitting = routes.flatMap((route) => {
    const ownPrefix = route.isUnversioned ? '/' : prefix;
    if (!path.startsWith(ownPrefix)) return [];
    const parts = partsOf(route.path.slice(1).split('/'), path.slice(ownPrefix.length).split('/'));
    return parts ? [{ route, parts }] : [];
  });
  if (fitting.length === 0 && !path.startsWith(prefix))
    throw new HealthctlError('NOT_FOUND', `no such path: ${path}`, { hint: `paths begin with ${prefix}` });
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
    if (expected.startsWith('{') && word !== '') {
      const name = expected.slice(1, -1);
      parts.set(name, decoded(name, word));
    } else if (expected !== word) return undefined;
  }
  return parts;
}

/** A part of a path. Throws INVALID for an invalid namespace, and for control characters, which no name has. */
function decoded(name: string, word: string): string {
  let text = word;
  try {
    text = decodeURIComponent(word);
  } catch {
    // Used unchanged: no name has a lone percent sign either.
  }
  if (name === 'namespace') return checkIdentifier(text);
  if (/\p{Cc}/u.test(text)) throw new HealthctlError('INVALID', `no ${name} is called ${JSON.stringify(text)}`);
  return text;
}

/** 200 while a container is healthy, or runs without a check; 503 otherwise: for load balancers. */
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
  // Sent at once, so that the client knows that it is subscribed.
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
  // An empty line distinguishes the end of the requested range from a monitor that ended or was killed.
  response.end(signal.aborted ? '' : '\n');
}

/** A known path with an unsupported method. The answer lists the supported ones (RFC 9110, 15.5.6). */
export class WrongMethod extends HealthctlError {
  readonly allowed: readonly string[];
  constructor(message: string, allowed: readonly string[]) {
    super('USAGE', message);
    this.allowed = allowed;
  }
}
