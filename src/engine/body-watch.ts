import type { IncomingMessage } from 'node:http';
import type { Clock } from '../lib/clock.ts';

/** Of silence, after which a body is given up; noticed up to as much later. An upload may take as long as it likes. */
const STALL_LIMIT_MS = 2 * 60_000;

/**
 * Cuts a connection off whose client has announced a body, and sends nothing of it for too long. What the server has
 * not read yet is no silence of the client's.
 *
 * @returns ends the watch: the body is complete, or becomes the input of something that may wait for ever
 */
export function watchBody(request: IncomingMessage, clock: Pick<Clock, 'after'>): () => void {
  const { socket } = request;
  let seenBytes = socket.bytesRead;
  let timer: { cancel(): void };
  const end = (): void => {
    timer.cancel();
    socket.off('close', end);
    request.off('end', end);
  };
  const look = (): void => {
    const isUnread = request.readableLength + socket.readableLength > 0;
    if (socket.bytesRead === seenBytes && !isUnread) {
      end();
      socket.destroy();
      return;
    }
    seenBytes = socket.bytesRead;
    timer = clock.after(STALL_LIMIT_MS, look);
  };
  timer = clock.after(STALL_LIMIT_MS, look);
  socket.once('close', end);
  request.once('end', end);
  return end;
}
