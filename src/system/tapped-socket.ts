import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** A connected socket as a stream on which all that comes is seen first: TLS and HTTP/2 take a socket's bytes from the kernel by themselves. */
export interface TappedSocket {
  readonly stream: Duplex;
  /** Reads nothing more from the socket until `release`: the peer can send no more than the kernel holds. */
  hold(): void;
  release(): void;
}

/** @param see called with what came, before the stream has it; may destroy the stream, or hold it */
export function tapSocket(socket: Socket, see: (bytes: Buffer, tapped: TappedSocket) => void): TappedSocket {
  let isHeld = false;
  const stream = new Duplex({
    read: () => {
      if (!isHeld) socket.resume();
    },
    write: (bytes: Buffer, _encoding, done) => void socket.write(bytes, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  const tapped: TappedSocket = {
    stream,
    hold: () => {
      isHeld = true;
      socket.pause();
    },
    release: () => {
      isHeld = false;
      if (!stream.destroyed) socket.resume();
    },
  };
  socket.on('data', (bytes: Buffer) => {
    see(bytes, tapped);
    if (!stream.destroyed && !stream.push(bytes)) socket.pause();
  });
  socket.once('end', () => stream.push(null));
  socket.on('error', (error) => stream.destroy(error));
  socket.once('close', () => stream.destroy());
  return tapped;
}
