import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/** Where a request came from, and where its answer goes: the same for requests that asked to upgrade and others. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Of the request, which may lose it: when the answer is sent, and by `pipeline` of Node.js after a failure. */
  readonly socket: Socket;
  /** Whether the client asked to upgrade the connection. */
  readonly isUpgrade: boolean;
  /** The body, of the length that the head announces. */
  body(): Readable;
  /** Whether the head announces a body. */
  readonly hasBody: boolean;
}

/** An ordinary request. */
export function exchangeOf(request: IncomingMessage, response: ServerResponse): Exchange {
  return {
    request,
    response,
    socket: request.socket,
    isUpgrade: false,
    body: () => request,
    hasBody: hasBody(request),
  };
}

/**
 * A request that asks to upgrade: Node.js gives the socket away, and the body is the first thing on it. A route that
 * does not upgrade answers it as any other, and the connection ends.
 */
export function upgradeOf(request: IncomingMessage, socket: Socket, head: Buffer): Exchange {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on('error', () => socket.destroy());
  if (head.length > 0) socket.unshift(head);
  const length = Number(request.headers['content-length'] ?? 0) || 0;
  let body: Readable | undefined;
  return {
    ...{ request, response, socket, isUpgrade: true, hasBody: length > 0 },
    body: () => {
      body ??= Readable.from(firstBytes(socket, length));
      return body;
    },
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The first bytes of a socket; the rest stays in it. */
async function* firstBytes(socket: Socket, length: number): AsyncGenerator<Buffer> {
  let left = length;
  while (left > 0) {
    const chunk: Buffer | null = socket.read(Math.min(left, Math.max(1, socket.readableLength)));
    if (chunk) {
      left -= chunk.length;
      yield chunk;
    } else if (!(await isReadable(socket))) return;
  }
}

function isReadable(socket: Socket): Promise<boolean> {
  if (socket.destroyed || socket.readableEnded) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (value: boolean) => (): void => {
      socket.off('readable', onReadable);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      resolve(value);
    };
    const onReadable = settle(true);
    const onEnd = settle(false);
    socket.once('readable', onReadable);
    socket.once('end', onEnd);
    socket.once('close', onEnd);
  });
}
