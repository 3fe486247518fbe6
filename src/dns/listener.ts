import { closeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { NAME_SERVER } from '../network/resolv-conf.ts';
import { bindSocket, setDropping } from '../system/host-port.ts';
import type { NetworkNamespace } from '../system/netns.ts';
import { duplicate } from '../system/passed-descriptors.ts';
import type { Answerer } from './answer.ts';
import { datagramSocketOf } from './exchange.ts';
import { createFrameReader, framed } from './frames.ts';
import type { RateLimit } from './rate-limit.ts';

const PORT = 53;

/** How long nothing is received from a container that asks too much. */
const PAUSE_MS = 100;
const MAX_CONNECTIONS = 16;
const CONNECTION_IDLE_MS = 10_000;
/** Answers that a client does not read: then its connection is closed. */
const MAX_UNREAD_BYTES = 256 * 1024;

/** The server of one container: a UDP and a TCP socket in its network. */
export interface Listener {
  /** Closes all of its sockets at once: an open one would keep the network of an ended container alive. Idempotent. */
  close(): void;
  /** Like `close`, but the next listener of the container gets the sockets, and what they have received meanwhile. */
  handOver(): void;
}

/** Where the sockets of one container survive the listener. */
export interface KeptSockets {
  take(protocol: Protocol): number | undefined;
  keep(protocol: Protocol, fd: number): void;
  drop(protocol: Protocol): void;
  /** The descriptor is then its own. */
  park(protocol: Protocol, fd: number): void;
}

type Protocol = 'udp' | 'tcp';
const PROTOCOLS = ['udp', 'tcp'] as const;

export interface ListenerOptions {
  readonly answerer: Answerer;
  readonly rate: RateLimit;
  readonly clock: Pick<Clock, 'after'>;
  readonly onFault: (error: unknown) => void;
  /** Default: they end with the listener. */
  readonly kept?: KeptSockets;
}

/**
 * Opens the sockets and answers from then on.
 *
 * @throws system errors: EADDRINUSE if the container listens there itself, EMFILE …; DENIED
 */
export function openListener(namespace: NetworkNamespace, options: ListenerOptions): Listener {
  const { kept } = options;
  const fds = openSockets(namespace, kept);
  const [udpFd, tcpFd] = fds;
  const gate = createGate(fds, options);
  const udp = openUdp(udpFd, options, gate);
  const tcp = openTcp(tcpFd, options, gate);
  kept?.keep('udp', udpFd);
  kept?.keep('tcp', tcpFd);
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    gate.close();
    udp.close();
    tcp.close();
  };
  return {
    close: () => {
      if (isClosed) return;
      close();
      for (const protocol of PROTOCOLS) kept?.drop(protocol);
    },
    handOver: () => {
      if (isClosed) return;
      kept?.park('udp', duplicate(udpFd));
      kept?.park('tcp', duplicate(tcpFd));
      close();
    },
  };
}

function openSockets(namespace: NetworkNamespace, kept: KeptSockets | undefined): readonly [number, number] {
  const opened: number[] = [];
  const open = (protocol: Protocol): number => {
    const known = kept?.take(protocol);
    const fd = known ?? (protocol === 'udp' ? namespace.openDatagramSocket(4) : namespace.openSocket(4));
    opened.push(fd);
    // The last owner may have ended during a pause.
    if (known === undefined) bindSocket(fd, { protocol, address: NAME_SERVER, port: PORT });
    else setDropping(fd, false);
    return fd;
  };
  try {
    return [open('udp'), open('tcp')];
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}

/** Lets no more through than the rate allows. */
interface Gate {
  admit(): boolean;
  close(): void;
}

/** What comes during a pause is dropped by the kernel, at the cost of the container that sends it. */
function createGate(fds: readonly number[], { rate, clock, onFault }: ListenerOptions): Gate {
  let pause: { cancel(): void } | undefined;
  const set = (isDropping: boolean): void => {
    try {
      for (const fd of fds) setDropping(fd, isDropping);
    } catch (error) {
      onFault(error);
    }
  };
  const resume = (): void => {
    pause = undefined;
    set(false);
  };
  return {
    admit: () => {
      if (pause) return false; // received before the pause
      if (rate.admit()) return true;
      set(true);
      pause = clock.after(PAUSE_MS, resume);
      return false;
    },
    close: () => pause?.cancel(),
  };
}

function openUdp(fd: number, { answerer, onFault }: ListenerOptions, gate: Gate): { close(): void } {
  const socket = datagramSocketOf(fd, 4);
  let isOpen = true;
  socket.on('error', onFault);
  socket.on('message', (bytes, { address, port }) => {
    if (!gate.admit()) return;
    const send = (reply: Buffer): void => {
      // A client that is gone: nobody minds.
      if (isOpen) socket.send(reply, port, address, () => undefined);
    };
    try {
      const reply = answerer.answer(bytes, 'udp');
      if (Buffer.isBuffer(reply)) send(reply);
      else void reply?.then(send).catch(onFault);
    } catch (error) {
      onFault(error); // would end the monitor
    }
  });
  return {
    close: () => {
      isOpen = false;
      socket.close();
    },
  };
}

function openTcp(fd: number, options: ListenerOptions, gate: Gate): { close(): void } {
  const connections = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    if (!gate.admit()) return void socket.destroy();
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serveConnection(socket, options, gate);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('error', options.onFault);
  server.listen({ fd });
  return {
    close: () => {
      server.close();
      for (const socket of connections) socket.destroy();
    },
  };
}

/** One query after the other: so a connection has at most one that waits for another server. */
function serveConnection(socket: Socket, options: ListenerOptions, gate: Gate): void {
  const { answerer, clock } = options;
  let timer = clock.after(CONNECTION_IDLE_MS, () => socket.destroy());
  const waiting: Buffer[] = [];
  let isBusy = false;
  let isEnding = false;
  const work = async (): Promise<void> => {
    isBusy = true;
    for (let query = waiting.shift(); query && !socket.destroyed; query = waiting.shift()) {
      const reply = gate.admit() ? await answerer.answer(query, 'tcp') : undefined;
      if (!reply || socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
      else if (!socket.destroyed) socket.write(framed(reply));
    }
    isBusy = false;
    if (isEnding) socket.end();
    else socket.resume();
  };
  const frames = createFrameReader((query) => waiting.push(query));
  socket.on('data', (bytes) => {
    timer.cancel();
    timer = clock.after(CONNECTION_IDLE_MS, () => socket.destroy());
    frames.push(bytes);
    if (waiting.length === 0 || isBusy) return;
    socket.pause();
    void work().catch(options.onFault);
  });
  socket.on('end', () => {
    isEnding = true;
    if (!isBusy) socket.end();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => timer.cancel());
}
