import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { closeSync } from 'node:fs';
import { isIPv6, Socket } from 'node:net';
import { messageOf } from '../lib/errors.ts';
import type { Family } from '../system/netns.ts';
import { createFrameReader, framed } from './frames.ts';
import { answers, type Query, withId } from './message.ts';

export type Transport = 'udp' | 'tcp';

/** A server to ask, and the network from which to ask it. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  /** Opens a socket in that network. Throws if there is none any more. */
  open(transport: Transport, family: Family): number;
}

/** The answer's bytes, with the id of this exchange; or why there is none. */
export type Exchanged =
  | { readonly kind: 'answered'; readonly bytes: Buffer }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Asks a server one question over a socket of its own, whose port and id nobody else knows, and closes the socket.
 *
 * @param id a random one
 * @param signal ends the wait
 */
export async function exchange(
  peer: Peer,
  { query, transport, id }: { readonly query: Query; readonly transport: Transport; readonly id: number },
  signal: AbortSignal,
): Promise<Exchanged> {
  const message = withId(query.bytes, id);
  const isAnswer = (bytes: Buffer) => answers(bytes, query, id);
  try {
    const fd = peer.open(transport, isIPv6(peer.address) ? 6 : 4);
    return await (transport === 'udp' ? overUdp : overTcp)(fd, { peer, message, isAnswer, signal });
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

interface Job {
  readonly peer: Peer;
  readonly message: Buffer;
  readonly isAnswer: (bytes: Buffer) => boolean;
  readonly signal: AbortSignal;
}

function overUdp(fd: number, { peer, message, isAnswer, signal }: Job): Promise<Exchanged> {
  const socket = datagramSocketOf(fd, isIPv6(peer.address) ? 6 : 4);
  return untilSettled(signal, (settle) => {
    socket.on('error', (error) => settle({ kind: 'failed', reason: error.message }));
    // Connected: the kernel takes only what this server sends, and reports that nobody listens.
    socket.on('message', (bytes) => isAnswer(bytes) && settle({ kind: 'answered', bytes }));
    let isOpen = true;
    // The event may come after the socket was closed.
    socket.on('connect', () => isOpen && socket.send(message));
    socket.connect(peer.port, peer.address);
    return () => {
      isOpen = false;
      socket.close();
    };
  });
}

/** A socket of Node.js for a descriptor, which it closes. */
export function datagramSocketOf(fd: number, family: Family): UdpSocket {
  const lookup = (host: string, _: unknown, done: (error: null, address: string, family: number) => void) =>
    done(null, host, family);
  const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', lookup });
  try {
    socket.bind({ fd, exclusive: true });
    return socket;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function overTcp(fd: number, { peer, message, isAnswer, signal }: Job): Promise<Exchanged> {
  const socket = streamSocketOf(fd);
  return untilSettled(signal, (settle) => {
    const frames = createFrameReader((bytes) => isAnswer(bytes) && settle({ kind: 'answered', bytes }));
    socket.on('error', (error) => settle({ kind: 'failed', reason: error.message }));
    socket.on('close', () => settle({ kind: 'failed', reason: 'closed without an answer' }));
    socket.on('data', (bytes) => frames.push(bytes));
    socket.connect({ host: peer.address, port: peer.port }, () => socket.write(framed(message)));
    return () => socket.destroy();
  });
}

function streamSocketOf(fd: number): Socket {
  // An undocumented option: without it, Node.js would read from a socket that is not connected yet.
  const options = { fd, manualStart: true };
  try {
    return new Socket(options);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The first result; then the socket is closed. */
function untilSettled(
  signal: AbortSignal,
  begin: (settle: (result: Exchanged) => void) => () => void,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    let isSettled = false;
    let close: (() => void) | undefined;
    const settle = (result: Exchanged): void => {
      if (isSettled) return;
      isSettled = true;
      signal.removeEventListener('abort', onAbort);
      close?.();
      resolve(result);
    };
    const onAbort = (): void => settle({ kind: 'failed', reason: 'no answer in time' });
    signal.addEventListener('abort', onAbort, { once: true });
    close = begin(settle);
    if (isSettled) close();
    else if (signal.aborted) onAbort();
  });
}
