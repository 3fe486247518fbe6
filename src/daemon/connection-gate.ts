import type { Server, Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Descriptors } from '../system/descriptors.ts';

export interface GateOptions {
  /** Connections that are served at once. */
  readonly max: number;
  readonly clock: Pick<Clock, 'after'>;
  /** What a client is sent that comes when all are in use; nothing: it is cut off. */
  readonly refusal?: string;
}

/**
 * Bounds the connections of a server, so that no client can take the descriptors that checks need. One on which nothing was asked yet is closed
 * after some seconds, or at once when its place is needed; a client that comes while all places are in use is told so and cut off.
 */
export interface ConnectionGate {
  /** A request has come on this connection: it is not idle any more. */
  asked(socket: Socket): void;
  /** The connection that the server is being given; undefined outside of its listeners. */
  readonly admitting: Socket | undefined;
}

/** From the connection to its first request. */
const IDLE_LIMIT_MS = 5_000;
/** How long one that is refused may take to send its question: it would lose the answer if it were cut off before. */
const REFUSAL_LIMIT_MS = 500;
/** So many are answered with a refusal at once; more are cut off without a word. */
const MAX_REFUSALS = 4;

/** Puts itself before the listeners that the server has for connections. */
export function gateConnections(server: Server, { max, clock, refusal }: GateOptions): ConnectionGate {
  const serve = server.listeners('connection');
  const open = new Set<Socket>();
  /** Those without a request yet, the oldest first. */
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

/** Connections that each server may have: a part of what is free, most of which is for checks. */
export function connectionBudget({ open, limit }: Descriptors): { readonly api: number; readonly grpc: number } {
  const free = Math.max(0, limit - open);
  const part = (share: number, least: number): number => Math.min(MOST, Math.max(least, Math.floor(free / share)));
  return { api: part(4, 2), grpc: part(8, 1) };
}

/** More clients than this are more than a host has. */
const MOST = 100;
