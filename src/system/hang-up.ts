import { openLibc, systemError } from './libc.ts';

const POLLERR = 0x8;
const POLLHUP = 0x10;

/**
 * Whether the peer of a Unix socket has closed it, rather than only ended its own side: reading looks the same for both
 * (unix_poll of the kernel's net/unix/af_unix.c). Throws system errors.
 */
export function isHungUp(fd: number): boolean {
  const libc = openLibc();
  // struct pollfd: int fd, short events (none is asked for), short revents.
  const words = new Int16Array(4);
  new Int32Array(words.buffer)[0] = fd;
  if (libc.func('int poll(void *fds, unsigned long count, int timeout)')(words, 1, 0) < 0)
    throw systemError(libc, 'poll');
  return ((words[3] ?? 0) & (POLLHUP | POLLERR)) !== 0;
}
