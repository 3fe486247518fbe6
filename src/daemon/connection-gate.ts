import type { Server, Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Descriptors } from '../system/descriptors.ts';

export interface GateOptions {
  /** Connections served at the same time. */
  readonly max: number;
  readonly clock: Pick<Clock, 'after'>;
  /** The answer to a client beyond the limit; undefined: it is cut off. */
  readonly refusal?: string;
}

/**
 * Limits the connections of a server, so that no client can use up the descriptors that checks need. A connection
 * without a request is closed after some seconds, or at once if its slot is needed; a client that finds no slot gets a
 * refusal and is cut off.
 */
export interface ConnectionGate {
  /** A request has arrived on this connection: it is no longer idle. */
  asked(socket: Socket): void;
  /** The connection that is being passed to the server; undefined outside of its listeners. */
  readonly admitting: Socket | undefined;
}

/** Limit from the connection to its first request. */
const IDLE_LIMIT_MS = 5_000;
/** How long a refused client may take to send its request: if it were cut off before, it would lose the answer. */
const REFUSAL_LIMIT_MS = 500;
/** The number of clients that get a refusal at the same time; more are cut off silently. */
const MAX_REFUSALS = 4;

/** Runs before the server's own connection listeners. */
export function gateConnections(server: Server, { max, clock, refusal }: GateOptions): ConnectionGate {
  const serve = server.listeners('connection');
  const open = new Set<Socket>();
  /** Connections without a request yet, the oldest first. */
  const idle = new Map<Socket, { cancel(): void }>();
  let refusals = 0;
  let admitting: Socket | undefined;

  const asked = (socket: Socket): void => {
    idle.get(socket)?.cancel();
    idle.delete(socket);
  };
  const leave = (socket: Socket): void => {
    asked(socket);
    open.delete(socket);
  };
  const evict = (socket: Socket): void => {
    leave(socket);
    socket.destroy();
  };
  const admit = (socket: Socket): void => {
    open.add(socket);
    idle.set(
      socket,
      clock.after(IDLE_LIMIT_MS, () => evict(socket)),
    );
    socket.once('close', () => leave(socket));
    admitting = socket;
    for (const listener of serve) listener.call(server, socket);
    admitting = undefined;
  };
  const refuse = (socket: Socket): void => {
    if (refusal === undefined || refusals >= MAX_REFUSALS) {
      socket.destroy();
      return;
    }
    refusals += 1;
    const late = clock.after(REFUSAL_LIMIT_MS, () => socket.destroy());
    socket.once('close', () => {
      refusals -= 1;
      late.cancel();
    });
    socket.on('error', () => socket.destroy());
    socket.write(refusal);
    socket.once('data', () => socket.destroySoon());
  };

  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const [oldest] = idle.keys();
    if (open.size >= max && oldest) evict(oldest);
    if (open.size >= max) refuse(socket);
    else admit(socket);
  });
  return {
    asked,
    get admitting() {
      return admitting;
    },
  };
}

/** Like `gateConnections`, also for TLS, where a request has another socket than the connection that was admitted. */
export function gateTcp(server: Server, options: GateOptions): { asked(socket: Socket): void } {
  const gate = gateConnections(server, options);
  const admitted = new Map<string, Socket>();
  const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    if (socket.remoteAddress === undefined) return; // of a Unix socket: a request has the socket itself
    const name = nameOf(socket);
    admitted.set(name, socket);
    socket.once('close', () => admitted.delete(name));
  });
  return { asked: (socket) => gate.asked(admitted.get(nameOf(socket)) ?? socket) };
}

/** Connections for each server: a part of the free ones, most of which are reserved for checks. */
export function connectionBudget({ open, limit }: Descriptors): { readonly api: number; readonly grpc: number } {
  const free = Math.max(0, limit - open);
  const part = (share: number, least: number): number => Math.min(MOST, Math.max(least, Math.floor(free / share)));
  return { api: part(4, 2), grpc: part(8, 1) };
}

/** No host has more clients than this. */
const MOST = 100;
