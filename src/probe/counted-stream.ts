import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { ReceivedTooMuchError } from '../containerd/http2/connection.ts';

/**
 * A connected socket as a stream that counts: TLS takes a socket's bytes from the kernel by itself, and nobody could say how many records
 * came that carry nothing (tickets, key updates, alerts).
 *
 * @param options.maxBytes the stream fails with ReceivedTooMuchError when more comes
 * @param options.onFirst called with all that has come so far until it returns true
 */
export function countedStream(
  socket: Socket,
  { maxBytes, onFirst }: { readonly maxBytes: number; readonly onFirst: (bytes: Buffer) => boolean },
): Duplex {
  let received = 0;
  let first: Buffer | undefined = Buffer.alloc(0);
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (bytes: Buffer, _encoding, done) => void socket.write(bytes, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length;
    if (first) {
      first = Buffer.concat([first, bytes]);
      if (onFirst(first)) first = undefined;
    }
    if (received > maxBytes) stream.destroy(new ReceivedTooMuchError(`more than ${maxBytes} bytes were received`));
    else if (!stream.push(bytes)) socket.pause();
  });
  socket.once('end', () => stream.push(null));
  socket.on('error', (error) => stream.destroy(error));
  socket.once('close', () => stream.destroy());
  return stream;
}
