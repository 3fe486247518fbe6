import { closeSync, openSync, writeSync } from 'node:fs';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import { type Libc, openLibc, systemError } from './libc.ts';
import { isAlive, readStat } from './proc.ts';

/** IPv4 or IPv6. */
export type Family = 4 | 6;

/** The network namespace of a process, held open. */
export interface NetworkNamespace {
  /**
   * A descriptor of a TCP socket in that namespace: non-blocking, close-on-exec, not connected. The socket stays in its
   * namespace.
   *
   * @throws DENIED without the privilege to enter a namespace; a system error (EAFNOSUPPORT, EMFILE …) if no such
   *   socket can be had
   */
  openSocket(family: Family): number;
  /** Like `openSocket`, of a UDP socket. */
  openDatagramSocket(family: Family): number;
  /** A descriptor of a socket for the kernel's routing messages in that namespace: blocking, close-on-exec. */
  openRouteSocket(): number;
  /** Writes a kernel setting of that namespace, below `/proc/sys/net`. Throws a system error. */
  writeSysctl(path: string, value: string): void;
  close(): void;
}

// uapi/linux/sched.h, socket.h
const CLONE_NEWNET = 0x4000_0000;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const DOMAINS = { 4: AF_INET, 6: AF_INET6 } as const;

/** Pid and start time of a process, which distinguish it from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTimeTicks: number;
}

/**
 * Opens the network namespace of a process, which may be our own (a container on the host's network).
 *
 * Compares the start time after opening, so that it never returns the namespace of another process with a reused pid.
 * @returns undefined if the process is gone. Throws DENIED without the privilege to inspect it
 */
export function openNetworkNamespace(process: ProcessIdentity): NetworkNamespace | undefined {
  const target = openNamespaceFile(`/proc/${process.pid}/ns/net`);
  if (target === undefined) return undefined;
  if (!isSameProcess(process)) {
    closeSync(target);
    return undefined;
  }
  const libc = openLibc();
  return {
    openSocket: (family) => openSocketIn(libc, target, family),
    openDatagramSocket: (family) => openIn(libc, target, [DOMAINS[family], SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC]),
    writeSysctl: (path, value) => inNamespace(libc, target, () => writeSetting(path, value)),
    openRouteSocket: () => openIn(libc, target, [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC]),
    close: () => closeSync(target),
  };
}

/** Whether the process still exists and its pid was not reused. */
export function isSameProcess({ pid, startTimeTicks }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  return stat?.startTimeTicks === startTimeTicks && isAlive(stat);
}

function openNamespaceFile(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    if (code === 'EACCES' || code === 'EPERM') throw denied(error);
    throw error;
  }
}

export function openSocketIn(libc: Libc, target: number, family: Family): number {
  return openIn(libc, target, [DOMAINS[family], SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC]);
}

/**
 * Enters and leaves the namespace in one synchronous turn: only this thread switches, and nothing else runs on it
 * meanwhile. A thread that cannot switch back would do all further work in a container's network, so the process ends.
 */
function inNamespace<T>(libc: Libc, target: number, work: () => T): T {
  const setns = libc.func('int setns(int fd, int type)');
  // The namespace of this thread: /proc/self is that of the main thread.
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    if (setns(target, CLONE_NEWNET) !== 0) throw denied(systemError(libc, 'setns'));
    try {
      return work();
    } finally {
      if (setns(home, CLONE_NEWNET) !== 0) process.abort();
    }
  } finally {
    closeSync(home);
  }
}

function openIn(libc: Libc, target: number, [domain, type]: readonly [number, number]): number {
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  return inNamespace(libc, target, () => {
    const fd = socket(domain, type, 0);
    if (fd < 0) throw systemError(libc, 'socket');
    return fd;
  });
}

function writeSetting(path: string, value: string): void {
  const fd = openSync(path, 'w');
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

function denied(cause: unknown): HealthctlError {
  return new HealthctlError('DENIED', "cannot enter the container's network namespace", {
    cause,
    hint: 'HTTP, TCP and gRPC checks need root (CAP_SYS_ADMIN)',
  });
}
