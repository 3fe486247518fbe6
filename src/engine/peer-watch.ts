import type { Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { isPeerClosed } from '../system/peer-closed.ts';

/** A client that is gone is cut off at the second look: before, what it had sent last can be read. */
const LOOK_MS = 5_000;

/**
 * Cuts off a client that has closed its connection, as one that was killed: it looks like one that has ended its input
 * and reads on, and nothing is written to a client that waits for output. Ends with the connection.
 */
export function watchPeer(socket: Socket, clock: Pick<Clock, 'after'>): void {
  let wasClosed = false;
  let timer: { cancel(): void };
  const lookLater = (): void => {
    timer = clock.after(LOOK_MS, look);
  };
  const look = (): void => {
    const isClosed = isPeerClosed(socket);
    if (isClosed && wasClosed) return void socket.destroy();
    wasClosed = isClosed;
    lookLater();
  };
  lookLater();
  socket.once('close', () => timer.cancel());
}
