import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How many requests may wait on one connection. Clients of Docker send the next one when they have their answer. */
const MAX_WAITING = 16;

/**
 * Lets the requests of one connection be served one after the other, as in Go: Node.js hands out all that have arrived,
 * and a client could have thousands of calls in flight on each connection, and their answers in memory. A connection
 * with too many is cut off; it is not paused, because then nobody would notice when the client goes away.
 *
 * @returns calls `serve` when the client has taken the answers before, or never if it is gone
 */
export function createTurns(): (request: IncomingMessage, response: ServerResponse, serve: () => void) => void {
  /** The last request of each connection that is not answered yet, and how many there are. */
  const lines = new WeakMap<Socket, { last: ServerResponse; length: number }>();
  return ({ socket }, response, serve) => {
    if (socket.destroyed) return;
    const line = lines.get(socket);
    response.once('close', () => {
      const present = lines.get(socket);
      if (present?.last === response) lines.delete(socket);
      else if (present) present.length -= 1;
    });
    if (!line) {
      lines.set(socket, { last: response, length: 1 });
      serve();
      return;
    }
    if (line.length > MAX_WAITING) {
      socket.destroy();
      return;
    }
    line.last.once('close', () => {
      if (!socket.destroyed) serve();
    });
    line.last = response;
    line.length += 1;
  };
}
