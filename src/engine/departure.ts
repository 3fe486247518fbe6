import type { Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { isHungUp } from '../system/hang-up.ts';

/** How soon a client that has gone away is noticed. */
const LOOK_EVERY_MS = 2_000;

/**
 * Closes a connection that was taken over when its client has gone away: the end of the input does not say so, since
 * the client may go on reading, and nothing else does until there is output. On TCP only that does.
 */
export function closeWhenGone(socket: Socket, clock: Pick<Clock, 'after'>): void {
  let timer: { cancel(): void } | undefined;
  const look = (): void => {
    const fd = descriptorOf(socket);
    if (fd === undefined || socket.destroyed) return;
    if (isHungUp(fd)) socket.destroy();
    else timer = clock.after(LOOK_EVERY_MS, look);
  };
  const start = (): void => {
    timer = clock.after(LOOK_EVERY_MS, look);
  };
  socket.once('close', () => timer?.cancel());
  if (socket.readableEnded) start();
  else socket.once('end', start);
}

/** Of a Unix socket. Node.js has no other way to it. */
function descriptorOf(socket: Socket): number | undefined {
  if (socket.remoteAddress !== undefined) return undefined;
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}
