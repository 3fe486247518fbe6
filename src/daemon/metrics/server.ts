import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { ListenAddress, MetricsSettings } from '../../lib/settings.ts';
import { readPlainFile } from '../../system/plain-file.ts';
import { gateConnections } from '../connection-gate.ts';
import type { MetricsAnswerer } from './answer.ts';

/**
 * Serves `GET /metrics` on TCP, and nothing else. A port that is in use or a missing certificate never keeps the
 * monitor from checking: it is logged once and tried again.
 *
 * INVARIANT: no client can hold more than MAX_CONNECTIONS connections, each for a bounded time, whatever it sends or
 * does not read.
 */
export interface MetricsServer {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface MetricsServerDeps {
  readonly settings: MetricsSettings & { readonly listen: ListenAddress };
  readonly answerer: MetricsAnswerer;
  readonly clock: Clock;
  readonly log: ServiceLogger;
}

const MAX_CONNECTIONS = 16;
const RETRY_MS = 10_000;
/** How long a client may take for its request. */
const REQUEST_LIMIT_MS = 5_000;
const LIMITS: ServerOptions = {
  maxHeaderSize: 8 << 10,
  headersTimeout: REQUEST_LIMIT_MS,
  requestTimeout: REQUEST_LIMIT_MS,
  connectionsCheckingInterval: 1_000,
};

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createMetricsServer({ settings, answerer, clock, log }: MetricsServerDeps): MetricsServer {
  const { host, port } = settings.listen;
  let server: Server | undefined;
  let retry: { cancel(): void } | undefined;
  let isFailureTold = false;
  let isStopped = false;

  const handle = async (
    token: Buffer | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    // The next request of a client competes for a connection with those of all others.
    response.shouldKeepAlive = false;
    request.resume();
    const refusal = refusalOf(request, token);
    if (refusal) return sendText(response, refusal);
    try {
      await answerer.answer(response);
    } catch (error) {
      if (!(error instanceof HealthctlError)) log.warn(`metrics: ${messageOf(error)}`);
      if (response.headersSent) response.destroy();
      else sendText(response, { status: hasCode(error, 'UNAVAILABLE') ? 503 : 500, text: messageOf(error) });
    }
  };
  const open = async (): Promise<Server> => {
    const token = settings.tokenFile === undefined ? undefined : readToken(settings.tokenFile);
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      gate.asked(request.socket);
      void handle(token, request, response);
    };
    const made = settings.tls
      ? createTlsServer({ ...LIMITS, ...readTls(settings.tls), handshakeTimeout: REQUEST_LIMIT_MS }, listener)
      : createServer(LIMITS, listener);
    const gate = gateTcp(made, clock);
    await new Promise<void>((resolve, reject) => {
      made.once('error', reject);
      made.listen({ host, port }, resolve);
    });
    made.removeAllListeners('error');
    made.on('error', (error) => log.warn(`metrics: ${error.message}`));
    return made;
  };
  const start = async (): Promise<void> => {
    try {
      const made = await open();
      if (isStopped) return void made.close();
      server = made;
      log.info(
        `metrics at ${settings.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`,
      );
    } catch (error) {
      if (!isFailureTold) log.warn(`no metrics at ${host} port ${port}, retrying: ${messageOf(error)}`);
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
      const closed = new Promise<void>((resolve) => stopped.close(() => resolve()));
      stopped.closeAllConnections();
      await closed;
    },
  };
}

/** The limit on connections. With TLS a request has another socket than the connection that was admitted. */
function gateTcp(server: Server, clock: Clock): { asked(socket: Socket): void } {
  const gate = gateConnections(server, { max: MAX_CONNECTIONS, clock });
  const admitted = new Map<string, Socket>();
  const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    admitted.set(name, socket);
    socket.once('close', () => admitted.delete(name));
  });
  return { asked: (socket) => gate.asked(admitted.get(nameOf(socket)) ?? socket) };
}

interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly header?: readonly [name: string, value: string];
}

function refusalOf({ method, url = '', headers }: IncomingMessage, token: Buffer | undefined): Refusal | undefined {
  if (token && !isToken(headers.authorization, token))
    return { status: 401, text: 'a bearer token is needed', header: ['www-authenticate', 'Bearer'] };
  if (url.split('?', 1)[0] !== '/metrics') return { status: 404, text: 'metrics are at /metrics' };
  if (method === 'GET' || method === 'HEAD') return undefined;
  return { status: 405, text: `${method} is not for /metrics`, header: ['allow', 'GET, HEAD'] };
}

/** Takes the same time for every wrong token. */
function isToken(authorization: string | undefined, token: Buffer): boolean {
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  return given !== undefined && timingSafeEqual(hashOf(given), token);
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The hash of the token. Throws CONFIG for a file without one. */
function readToken(path: string): Buffer {
  const token = readPlainFile(path).toString('utf8').trim();
  if (token === '' || /\s/.test(token))
    throw new HealthctlError('CONFIG', `${path} must have a token: one word without spaces`);
  return hashOf(token);
}

const readTls = ({ certFile, keyFile }: { readonly certFile: string; readonly keyFile: string }) => ({
  cert: readPlainFile(certFile),
  key: readPlainFile(keyFile),
});

function sendText(response: ServerResponse, { status, text, header }: Refusal): void {
  if (header) response.setHeader(...header);
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
