import { closeSync } from 'node:fs';
import { int32 } from './host-number.ts';
import { openLibc } from './libc.ts';
import { int64, withNativeCopy } from './native-memory.ts';

/**
 * Reports the state of a service to systemd (sd_notify(3)). Does nothing without systemd, or if a message cannot be
 * sent.
 */
export interface Notifier {
  /** Start-up is complete: `systemctl start` of a unit of Type=notify returns. */
  ready(): void;
  stopping(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** Shows that the process is alive; due every `watchdogIntervalMs`. */
  watchdog(): void;
  /**
   * Has systemd keep a copy of a descriptor, and pass it to the next process of the service (FileDescriptorStoreMax in
   * systemd.service(5)). @param name without control characters and colons
   */
  storeDescriptor(name: string, fd: number): void;
  /** Has systemd close what it keeps under a name. */
  dropDescriptor(name: string): void;
  /** How often to call `watchdog`: half of systemd's timeout. Undefined if systemd does not watch this process. */
  readonly watchdogIntervalMs: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @param env of the process: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID */
export function openNotifier(env: Environment, pid = process.pid): Notifier {
  const address = socketAddressFrom(env.NOTIFY_SOCKET);
  const send = (text: string, fd?: number): void => {
    if (address) sendDatagram(address, Buffer.from(text), fd);
  };
  return {
    ready: () => send('READY=1'),
    stopping: () => send('STOPPING=1'),
    status: (text) => send(`STATUS=${text.replace(/\s+/g, ' ')}`),
    watchdog: () => send('WATCHDOG=1'),
    // Without FDPOLL=0 it is dropped as soon as it has an error.
    storeDescriptor: (name, fd) => send(`FDSTORE=1\nFDNAME=${name}\nFDPOLL=0`, fd),
    dropDescriptor: (name) => send(`FDSTOREREMOVE=1\nFDNAME=${name}`),
    watchdogIntervalMs: address && watchdogIntervalMsFrom(env, pid),
  };
}

/** sd_watchdog_enabled(3): without WATCHDOG_PID it applies to any process. */
function watchdogIntervalMsFrom({ WATCHDOG_USEC, WATCHDOG_PID }: Environment, pid: number): number | undefined {
  if (WATCHDOG_USEC === undefined || !/^[1-9]\d{0,14}$/.test(WATCHDOG_USEC)) return undefined;
  if (WATCHDOG_PID && WATCHDOG_PID !== `${pid}`) return undefined;
  return Number(WATCHDOG_USEC) / 1000 / 2;
}

const AF_UNIX = 1;
/** Size of `sun_path` in unix(7); a path ends with a zero byte, a name in the abstract namespace need not. */
const MAX_PATH_BYTES = 108;

/** A `struct sockaddr_un`; undefined for anything but a Unix socket (systemd also knows `vsock:`). */
function socketAddressFrom(name: string | undefined): Buffer | undefined {
  if (!name || !/^[/@]./.test(name)) return undefined;
  const path = name.startsWith('@') ? Buffer.from(`\0${name.slice(1)}`) : Buffer.from(`${name}\0`);
  if (path.length > MAX_PATH_BYTES) return undefined;
  const family = Buffer.alloc(2);
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = AF_UNIX;
  return Buffer.concat([family, path]);
}

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
/** A `struct timeval` of 200 ms: how long to wait for a systemd whose queue is full. */
const SEND_LIMIT = Buffer.from(BigInt64Array.of(0n, 200_000n).buffer);

/** Opens a socket for each message: messages are rare, and no socket stays open or is inherited by a child. */
function sendDatagram(address: Buffer, message: Buffer, passed: number | undefined): void {
  const libc = openLibc();
  const fd = libc.func('int socket(int domain, int type, int protocol)')(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  try {
    const setOption = libc.func('int setsockopt(int fd, int level, int name, const void *value, unsigned int size)');
    setOption(fd, SOL_SOCKET, SO_SNDTIMEO, SEND_LIMIT, SEND_LIMIT.length);
    const send = libc.func('long sendmsg(int fd, uintptr_t message, int flags)');
    const copy = { size: MSGHDR_SIZE + IOVEC_SIZE + CONTROL_SIZE + address.length + message.length };
    const bytesAt = (place: bigint): Buffer => messageHeader(place, { address, message, passed });
    withNativeCopy(libc, { ...copy, bytesAt }, (place) => send(fd, place, MSG_NOSIGNAL));
  } finally {
    closeSync(fd);
  }
}

const MSGHDR_SIZE = 56;
const IOVEC_SIZE = 16;
/** CMSG_SPACE(3) for one descriptor, and CMSG_LEN. */
const CONTROL_SIZE = 24;
const CONTROL_LENGTH = 20n;
const SCM_RIGHTS = 1;

/** A `struct msghdr` (sendmsg(2), cmsg(3)) for this address, followed by all that it points to. */
function messageHeader(
  place: bigint,
  {
    address,
    message,
    passed,
  }: { readonly address: Buffer; readonly message: Buffer; readonly passed?: number | undefined },
): Buffer {
  const iovec = place + BigInt(MSGHDR_SIZE);
  const control = iovec + BigInt(IOVEC_SIZE);
  const name = control + BigInt(CONTROL_SIZE);
  const bytes = name + BigInt(address.length);
  const isPassed = passed !== undefined;
  return Buffer.concat([
    ...[int64(name), int32(address.length), Buffer.alloc(4)],
    ...[int64(iovec), int64(1n)],
    ...[int64(isPassed ? control : 0n), int64(isPassed ? BigInt(CONTROL_SIZE) : 0n), Buffer.alloc(8)],
    ...[int64(bytes), int64(BigInt(message.length))],
    ...[int64(CONTROL_LENGTH), int32(SOL_SOCKET), int32(SCM_RIGHTS), int32(passed ?? 0), Buffer.alloc(4)],
    ...[address, message],
  ]);
}
