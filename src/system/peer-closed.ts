import type { Socket } from 'node:net';
import { openLibc } from './libc.ts';

/** poll(2), struct pollfd: int fd, short events, short revents. */
const POLLFD_BYTES = 8;
const REVENTS_OFFSET = 6;
const POLLHUP = 0x10;

/**
 * Whether the other side of a Unix socket has closed it entirely, and not only its writing side. Node.js reports that
 * only at the next write: until then a client that has died looks like one that reads on. False where it cannot be
 * known.
 */
export function isPeerClosed(socket: Socket): boolean {
  const fd = descriptorOf(socket);
  if (fd === undefined) return false;
  const polled = Buffer.alloc(POLLFD_BYTES);
  polled.writeInt32LE(fd, 0);
  openLibc().func('int poll(void *fds, unsigned long count, int timeout)')(polled, 1, 0);
  return (polled.readUInt16LE(REVENTS_OFFSET) & POLLHUP) !== 0;
}

/** From a property that Node.js does not document. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}
