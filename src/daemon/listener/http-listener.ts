import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { ListenTarget, TlsFiles } from '../../lib/settings.ts';
import { freeSocketPath } from '../../system/own-file.ts';
import { readPlainFile } from '../../system/plain-file.ts';
import { gateTcp } from '../connection-gate.ts';

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

const RETRY_MS = 10_000;
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
  let server: Server | undefined;
  let retry: { cancel(): void } | undefined;
  let isFailureTold = false;
  let isStopped = false;

  const start = async (): Promise<void> => {
    try {
      const made = await listen(deps);
      if (isStopped) return await close(made);
      server = made;
      log.info(`${what} at ${urlOf(deps)}`);
    } catch (error) {
      if (!isFailureTold) log.warn(`no ${what} at ${placeOf(at)}, retrying: ${messageOf(error)}`);
      isFailureTold = true;
      if (!isStopped) retry = clock.after(RETRY_MS, () => void start());
    }
  };
  return {
    start,
    stop: async () => {
      isStopped = true;
      retry?.cancel();
      const stopped = server;
      server = undefined;
      if (!stopped) return;
      await close(stopped);
      if ('path' in at) rmSync(at.path, { force: true });
    },
  };
}

async function listen({ what, at, tls, groupId, maxConnections, open, clock, log }: HttpListenerDeps): Promise<Server> {
  const handle = open();
  const listener: RequestHandler = (request, response) => {
    gate.asked(request.socket);
    handle(request, response);
  };
  const made = tls
    ? createTlsServer({ ...LIMITS, ...readTls(tls), handshakeTimeout: REQUEST_LIMIT_MS }, listener)
    : createServer(LIMITS, listener);
  const gate = gateTcp(made, { max: maxConnections, clock });
  if ('path' in at) freeSocketPath(at.path, (text) => log.warn(text));
  await new Promise<void>((resolve, reject) => {
    made.once('error', reject);
    made.listen(at, resolve);
  });
  made.removeAllListeners('error');
  made.on('error', (error) => log.warn(`${what}: ${error.message}`));
  if (!('path' in at)) return made;
  try {
    if (groupId !== undefined) chownSync(at.path, 0, groupId);
    chmodSync(at.path, groupId === undefined ? 0o600 : 0o660);
  } catch (error) {
    await close(made);
    throw error;
  }
  return made;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
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
