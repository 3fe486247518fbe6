import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { Engine } from '../../engine/engine.ts';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import { readDescriptors } from '../../system/descriptors.ts';
import { findGivenSocket, type GivenSocket } from '../../system/given-socket.ts';
import { freeSocketPath } from '../../system/own-file.ts';
import { gateConnections } from '../connection-gate.ts';

/**
 * The socket of Docker's API. A path that cannot be used never keeps the monitor from checking: it is logged once and
 * tried again.
 *
 * INVARIANT: clients cannot take the descriptors that checks need, whatever they do.
 */
export interface EngineListener {
  /** Resolves when it listens, or has failed for the first time. */
  start(): Promise<void>;
  /** Cuts off all clients. */
  stop(): Promise<void>;
  /** The value of DOCKER_HOST for it; undefined while it does not listen. */
  readonly host: string | undefined;
}

export interface EngineListenerDeps {
  /** A path, or `fd://`. */
  readonly at: string;
  /** Mode 0600, or 0660 with a group. A socket of systemd keeps its mode. */
  readonly groupId: number | undefined;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: ServiceLogger;
}

const GIVEN_SOCKET = 'fd://';
const RETRY_MS = 10_000;
/** Clients of Docker keep their connections, and some send the body of a create as query too. */
const LIMITS = {
  maxHeaderSize: 1 << 20,
  headersTimeout: 10_000,
  // An upload may take long; a client that sends nothing is cut off by `timeout`.
  requestTimeout: 0,
  keepAliveTimeout: 10 * 60_000,
};
/** Half of the free descriptors, and no more than any host has clients. */
const MOST_CONNECTIONS = 4_096;

export function createEngineListener(deps: EngineListenerDeps): EngineListener {
  const { at, clock, log } = deps;
  let server: Server | undefined;
  let host: string | undefined;
  let retry: { cancel(): void } | undefined;
  let isFailureTold = false;
  let isStopped = false;
  const start = async (): Promise<void> => {
    try {
      const made = await listen(deps);
      if (isStopped) return await close(made);
      server = made;
      const path = at === GIVEN_SOCKET ? givenSocket().path : at;
      host = path === undefined ? undefined : `unix://${path}`;
      log.info(`Docker's Engine API at ${at}`);
    } catch (error) {
      if (!isFailureTold) log.warn(`no Docker API at ${at}, retrying: ${messageOf(error)}`);
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
      if (at !== GIVEN_SOCKET) rmSync(at, { force: true });
    },
    get host() {
      return server && host;
    },
  };
}

async function listen({ at, groupId, engine, clock, log }: EngineListenerDeps): Promise<Server> {
  const { open, limit } = readDescriptors();
  const made = createServer(LIMITS, (request, response) => {
    gate.asked(request.socket);
    engine.handle(request, response);
  });
  const gate = gateConnections(made, {
    max: Math.max(8, Math.min(MOST_CONNECTIONS, Math.floor((limit - open) / 2))),
    clock,
    refusal: refusalText(),
  });
  made.on('upgrade', (request, socket, head) => {
    gate.asked(request.socket);
    if (socket === request.socket) engine.handleUpgrade(request, request.socket, head);
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    made.once('error', reject);
    if (at === GIVEN_SOCKET) made.listen({ fd: givenSocket().duplicate() }, resolve);
    else {
      freeSocketPath(at, (text) => log.warn(text));
      made.listen(at, resolve);
    }
  });
  made.removeAllListeners('error');
  made.on('error', (error) => log.warn(`Docker API: ${error.message}`));
  if (at === GIVEN_SOCKET) return made;
  try {
    if (groupId !== undefined) chownSync(at, 0, groupId);
    chmodSync(at, groupId === undefined ? 0o600 : 0o660);
  } catch (error) {
    await close(made);
    throw error;
  }
  return made;
}

/** Throws CONFIG if systemd has not passed a socket to this process. */
function givenSocket(): GivenSocket {
  const socket = findGivenSocket(process.env);
  if (socket) return socket;
  throw new HealthctlError('CONFIG', 'systemd has not passed a socket', {
    hint: 'start the .socket unit: "healthctl daemon install --docker-socket" makes one',
  });
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/** The complete answer to a client without a slot, sent before it has asked anything. */
function refusalText(): string {
  const body = encodeJson({ message: 'too many connections to the Docker API of healthctl: close some' });
  return `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}
