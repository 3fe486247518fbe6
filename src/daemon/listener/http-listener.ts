import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Clock } from '../../lib/clock.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { ListenTarget, TlsFiles } from '../../lib/settings.ts';
import { readPlainFile } from '../../system/plain-file.ts';
import { gateTcp } from '../connection-gate.ts';
import { createRetriedListener, type Listening, openServer } from './retried-listener.ts';

/**
 * An HTTP server for clients that nobody vouches for. A port that is in use or a missing certificate never keeps the
 * monitor from checking: it is logged once and tried again.
 *
 * INVARIANT: no client can hold more than `maxConnections` connections, nor take longer than REQUEST_LIMIT_MS to send a
 * request, whatever it sends. How long an answer may take is up to the handler.
 */
export interface HttpListener {
  /** Resolves when it listens, or has failed for the first time. */
  start(): Promise<void>;
  /** Cuts off all clients. */
  stop(): Promise<void>;
}

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpListenerDeps {
  /** What it serves, in messages: `metrics`. */
  readonly what: string;
  /** The path in the URL that is logged: `/metrics`. */
  readonly urlPath: string;
  readonly at: ListenTarget;
  readonly tls: TlsFiles | undefined;
  /** Of a Unix socket: mode 0600, or 0660 with a group. */
  readonly groupId?: number | undefined;
  readonly maxConnections: number;
  /** Called before each attempt to listen. What it throws is logged, and tried again. */
  readonly open: () => RequestHandler;
  readonly clock: Clock;
  readonly log: ServiceLogger;
}

/** How long a client may take for its request. */
const REQUEST_LIMIT_MS = 5_000;
const LIMITS: ServerOptions = {
  maxHeaderSize: 8 << 10,
  headersTimeout: REQUEST_LIMIT_MS,
  requestTimeout: REQUEST_LIMIT_MS,
  connectionsCheckingInterval: 1_000,
};

export function createHttpListener(deps: HttpListenerDeps): HttpListener {
  const { what, at, clock, log } = deps;
  return createRetriedListener({
    listen: () => listen(deps),
    opened: `${what} at ${urlOf(deps)}`,
    failed: `no ${what} at ${placeOf(at)}`,
    ...{ clock, log },
  });
}

async function listen(deps: HttpListenerDeps): Promise<Listening> {
  const { what, at, tls, groupId, maxConnections, open, clock, log } = deps;
  const handle = open();
  const listener: RequestHandler = (request, response) => {
    gate.asked(request.socket);
    handle(request, response);
  };
  const server = tls
    ? createTlsServer({ ...LIMITS, ...readTls(tls), handshakeTimeout: REQUEST_LIMIT_MS }, listener)
    : createServer(LIMITS, listener);
  const gate = gateTcp(server, { max: maxConnections, clock });
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    if ('path' in at) rmSync(at.path, { force: true });
  };
  await openServer({ server, target: at, what, groupId, log, close });
  return { close };
}

const readTls = ({ certFile, keyFile }: TlsFiles) => ({
  cert: readPlainFile(certFile),
  key: readPlainFile(keyFile),
});

const placeOf = (at: ListenTarget): string => ('path' in at ? at.path : `${at.host} port ${at.port}`);

function urlOf({ at, tls, urlPath }: HttpListenerDeps): string {
  if ('path' in at) return at.path;
  const { host, port } = at;
  return `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}${urlPath}`;
}
