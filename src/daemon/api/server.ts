import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import { freeSocketPath } from '../../system/own-file.ts';
import { gateConnections } from '../connection-gate.ts';
import { match, type RouteParts, routesOf, WrongMethod } from '../routes.ts';
import type { ErrorAnswer } from './answers.ts';
import { API_HEADER, API_VERSION } from './version.ts';

export interface ApiServerOptions extends RouteParts {
  /** The socket, mode 0600, or 0660 with a group. */
  readonly path: string;
  readonly groupId: number | undefined;
  /** Largest number of connections. */
  readonly maxConnections: number;
  readonly clock: Clock;
  readonly log: ServiceLogger;
}

/** The API on a Unix socket. */
export interface ApiServer {
  start(): Promise<void>;
  /** Accepts no more requests; those in flight are cut off after a moment. Idempotent. */
  stop(): Promise<void>;
  /** Requests in flight: a monitor with one is not idle. */
  readonly busy: number;
}

/** How long a request in flight may still take when the server stops. */
const STOP_LIMIT_MS = 500;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { path, groupId, clock, log } = options;
  const routes = routesOf(options);
  let over = new AbortController();
  let server: Server | undefined;
  let busy = 0;
  /** The disconnect of a client that gave up is read right after its request, in the next turn. */
  const isStillThere = async ({ socket }: IncomingMessage): Promise<boolean> => {
    await clock.sleep(1);
    return !socket.destroyed && !socket.readableEnded;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    busy += 1;
    const gone = new AbortController();
    response.once('close', () => {
      busy -= 1;
      gone.abort();
    });
    response.setHeader(API_HEADER, `${API_VERSION}`);
    request.resume(); // no request body is used
    try {
      const { route, part, query } = match(routes, request);
      if (route.isAct && !(await isStillThere(request))) return void response.destroy();
      const value = await route.handle({ part, query, response, signal: AbortSignal.any([gone.signal, over.signal]) });
      if (!response.headersSent) sendJson(response, value === undefined ? 204 : 200, value);
    } catch (error) {
      if (!(error instanceof HealthctlError)) log.warn(`${request.method} ${request.url}: ${messageOf(error)}`);
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
      freeSocketPath(path, (text) => log.warn(text)); // left by a monitor that was killed: we hold the lock
      over = new AbortController();
      const made = createServer((request, response) => {
        gate.asked(request.socket);
        void answer(request, response);
      });
      const gate = gateConnections(made, { max: options.maxConnections, clock, refusal: refusalText() });
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

/** The complete answer to a client without a slot, sent before it has asked anything. */
function refusalText(): string {
  const body = encodeJson({
    code: 'UNAVAILABLE',
    message: 'the monitor has all the connections open that it may have',
  } satisfies ErrorAnswer);
  const fields = [
    `${API_HEADER}: ${API_VERSION}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `HTTP/1.1 503 Service Unavailable\r\n${fields.join('\r\n')}\r\n\r\n${body}`;
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

const STATUSES: Partial<Readonly<Record<ErrorCode, number>>> = {
  USAGE: 400,
  INVALID: 400,
  DENIED: 403,
  NOT_FOUND: 404,
  UNWATCHED: 404,
  CONFLICT: 409,
  AMBIGUOUS: 409,
  ALREADY_EXISTS: 409,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
};

function statusOf(error: unknown): number {
  if (error instanceof WrongMethod) return 405;
  return (error instanceof HealthctlError ? STATUSES[error.code] : undefined) ?? 500;
}

function errorAnswerOf(error: unknown): ErrorAnswer {
  if (!(error instanceof HealthctlError)) return { code: 'INTERNAL', message: messageOf(error) };
  const { code, message, hint, exitCode } = error;
  return {
    ...{ code, message },
    ...(hint === undefined ? {} : { hint }),
    ...(exitCode === undefined ? {} : { exitCode }),
  };
}
