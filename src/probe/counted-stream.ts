import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ReceivedTooMuchError } from '../containerd/http2/connection.ts';
import { tapSocket } from '../system/tapped-socket.ts';

/**
 * A connected socket as a stream that counts bytes. TLS skips records without data (tickets, key updates, alerts), so
 * their number would otherwise be unbounded.
 *
 * @param options.maxBytes the stream fails with ReceivedTooMuchError beyond it
 * @param options.onFirst called with all bytes received so far, until it returns true
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
