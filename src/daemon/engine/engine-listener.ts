import { rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ListenOptions, Socket } from 'node:net';
import type { Engine } from '../../engine/engine.ts';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { DockerTcpSettings } from '../../lib/settings.ts';
import { findGivenSocket, type GivenSocket } from '../../system/given-socket.ts';
import { readPlainFile } from '../../system/plain-file.ts';
import { gateTcp } from '../connection-gate.ts';
import { createRetriedListener, type Listening, openServer } from '../listener/retried-listener.ts';

/** Where Docker's API is served: on a socket of its own, on one of systemd, on TCP with certificates on both sides. */
export type EngineAddress =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'given' }
  | ({ readonly kind: 'tcp' } & DockerTcpSettings);

/**
 * One address of Docker's API. One that cannot be used never keeps the monitor from checking: it is logged once and
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
  readonly at: EngineAddress;
  /** Connections at the same time. */
  readonly maxConnections: number;
  /** Mode 0600, or 0660 with a group. A socket of systemd keeps its mode. */
  readonly groupId: number | undefined;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: ServiceLogger;
}

/** Connections that the kernel keeps until they are accepted: beyond, a client gets EAGAIN. Linux allows 4,096. */
const BACKLOG = 4_096;
/** How long a client may take for the head of a request. */
const HEAD_LIMIT_MS = 10_000;
/** Clients of Docker keep their connections, and some send the body of a create as query too. */
const LIMITS: ServerOptions = {
  maxHeaderSize: 1 << 20,
  headersTimeout: HEAD_LIMIT_MS,
  connectionsCheckingInterval: 5_000,
  // An upload may take long; one that does not go on is cut off by the engine.
  requestTimeout: 0,
  keepAliveTimeout: 10 * 60_000,
};

export function createEngineListener(deps: EngineListenerDeps): EngineListener {
  const { at, clock, log } = deps;
  const listener = createRetriedListener({
    listen: () => listen(deps),
    opened: `Docker's Engine API at ${textOf(at)}`,
    failed: `no Docker API at ${textOf(at)}`,
    ...{ clock, log },
  });
  return {
    start: listener.start,
    stop: listener.stop,
    get host() {
      return listener.listening?.host;
    },
  };
}

async function listen(deps: EngineListenerDeps): Promise<Listening & Pick<EngineListener, 'host'>> {
  const { at, groupId, engine, clock, log, maxConnections } = deps;
  const host = hostOf(at);
  const server = serverFor(at, (request, response) => {
    gate.asked(request.socket);
    engine.handle(request, response);
  });
  const refusal = at.kind === 'tcp' ? {} : { refusal: refusalText() };
  const gate = gateTcp(server, { max: maxConnections, clock, ...refusal });
  const cutOff = closerOf(server);
  server.on('upgrade', (request, socket, head) => {
    gate.asked(request.socket);
    if (socket === request.socket) engine.handleUpgrade(request, request.socket, head);
    else socket.destroy();
  });
  const close = async (): Promise<void> => {
    await cutOff();
    if (at.kind === 'path') rmSync(at.path, { force: true });
  };
  const target = { ...targetOf(at), backlog: BACKLOG };
  await openServer({ server, target, what: 'Docker API', groupId, log, close });
  return { host, close };
}

/** On TCP a client that shows no certificate of the authorities gets no answer to any request. */
function serverFor(at: EngineAddress, listener: RequestListener): Server {
  if (at.kind !== 'tcp') return createServer(LIMITS, listener);
  const { certFile, keyFile, caFile } = at.tls;
  return createTlsServer(
    {
      ...LIMITS,
      ...{ cert: readPlainFile(certFile), key: readPlainFile(keyFile), ca: readPlainFile(caFile) },
      ...{ requestCert: true, rejectUnauthorized: true, handshakeTimeout: HEAD_LIMIT_MS },
      // Who attaches may end its input, and goes on reading: without TLS that is the default.
      allowHalfOpen: true,
    },
    listener,
  );
}

function targetOf(at: EngineAddress): ListenOptions | { readonly fd: number } {
  switch (at.kind) {
    case 'path':
      return { path: at.path };
    case 'given':
      return { fd: givenSocket().duplicate() };
    case 'tcp':
      return at.listen;
  }
}

/** The value of DOCKER_HOST. */
function hostOf(at: EngineAddress): string | undefined {
  const path = at.kind === 'given' ? givenSocket().path : at.kind === 'path' ? at.path : undefined;
  if (at.kind !== 'tcp') return path === undefined ? undefined : `unix://${path}`;
  const { host, port } = at.listen;
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** In messages. */
const textOf = (at: EngineAddress): string => {
  if (at.kind === 'given') return 'the socket of systemd';
  return at.kind === 'path' ? at.path : `${at.listen.host} port ${at.listen.port}`;
};

/** Throws CONFIG if systemd has not passed a socket to this process. */
function givenSocket(): GivenSocket {
  const socket = findGivenSocket(process.env);
  if (socket) return socket;
  throw new HealthctlError('CONFIG', 'systemd has not passed a socket', {
    hint: 'start the .socket unit: "healthctl daemon install --docker-socket" makes one',
  });
}

/** Node.js itself forgets connections that were taken over, and would wait for their clients. */
function closerOf(server: Server): () => Promise<void> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
}

/** The complete answer to a client without a slot, sent before it has asked anything. */
function refusalText(): string {
  const body = encodeJson({ message: 'too many connections to the Docker API of healthctl: close some' });
  return `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}
