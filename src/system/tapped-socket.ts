import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * A connected socket as a stream whose incoming bytes we see first: TLS and HTTP/2 otherwise read them directly from
 * the kernel.
 */
export interface TappedSocket {
  readonly stream: Duplex;
  /** Stops reading from the socket until `release`: the peer can send no more than the kernel buffers. */
  hold(): void;
  release(): void;
}

/** @param see called with received bytes before the stream gets them; may destroy or hold the stream */
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
