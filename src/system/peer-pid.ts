import { closeSync } from 'node:fs';
import { openLibc } from './libc.ts';
import { MAX_SOCKET_PATH_BYTES } from './socket-path.ts';

// uapi/linux/un.h, asm-generic/socket.h
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const ADDRESS_BYTES = 110;

/** `struct ucred`: pid, uid, gid. */
const credentials = new Int32Array(3);

/**
 * The process that listens on a Unix socket (unix(7), SO_PEERCRED); undefined if none does, we may not ask, or too many
 * wait to be accepted. Does not block.
 */
export function peerPid(path: string): number | undefined {
  const bytes = Buffer.from(path);
  if (bytes.length > MAX_SOCKET_PATH_BYTES) return undefined;
  const libc = openLibc();
  const fd = libc.func('int socket(int domain, int type, int protocol)')(
    AF_UNIX,
    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
    0,
  );
  if (fd < 0) return undefined;
  try {
    const address = Buffer.alloc(ADDRESS_BYTES);
    new Uint16Array(address.buffer, address.byteOffset, 1)[0] = AF_UNIX;
    bytes.copy(address, 2);
    const connect = libc.func('int connect(int fd, const void *address, uint32_t length)');
    if (connect(fd, address, ADDRESS_BYTES) !== 0) return undefined;
    const length = new Uint32Array([credentials.byteLength]);
    const ask = libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)');
    if (ask(fd, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0) return undefined;
    const [pid = 0] = credentials;
    return pid > 0 ? pid : undefined;
  } finally {
    closeSync(fd);
  }
}
