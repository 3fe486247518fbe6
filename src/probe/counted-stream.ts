import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ReceivedTooMuchError } from '../containerd/http2/connection.ts';
import { tapSocket } from '../system/tapped-socket.ts';

/**
 * A connected socket as a stream that counts: TLS passes over records that carry nothing (tickets, key updates, alerts), and nobody could say
 * how many came.
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
  return tapSocket(socket, (bytes, { stream }) => {
    received += bytes.length;
    if (first) {
      first = Buffer.concat([first, bytes]);
      if (onFirst(first)) first = undefined;
    }
    if (received > maxBytes) stream.destroy(new ReceivedTooMuchError(`more than ${maxBytes} bytes were received`));
  }).stream;
}
