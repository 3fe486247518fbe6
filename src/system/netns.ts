import { closeSync, openSync } from 'node:fs';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import { type Libc, openLibc, systemError } from './libc.ts';
import { isAlive, readStat } from './proc.ts';

/** IPv4 or IPv6. */
export type Family = 4 | 6;

/** The network namespace of a process, held open. */
export interface NetworkNamespace {
  /**
   * A descriptor of a TCP socket in that namespace: non-blocking, close-on-exec, not connected. It stays in its namespace for good.
   *
   * @throws DENIED without the privilege to enter a namespace; a system error (EAFNOSUPPORT, EMFILE …) where there is no such socket
   */
  openSocket(family: Family): number;
  close(): void;
}

// uapi/linux/sched.h, socket.h
const CLONE_NEWNET = 0x4000_0000;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** A process by its pid and start time, which tell it from any later one with that pid. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTimeTicks: number;
}

/**
 * Opens the network namespace of a process, which may be our own (a container on the host's network).
 *
 * The start time is compared after opening, so that it is never the namespace of another process that was given the pid.
 * @returns undefined when the process is gone. Throws DENIED without the privilege to look at it
 */
export function openNetworkNamespace(process: ProcessIdentity): NetworkNamespace | undefined {
  const target = openNamespaceFile(`/proc/${process.pid}/ns/net`);
  if (target === undefined) return undefined;
  if (!isSameProcess(process)) {
    closeSync(target);
    return undefined;
  }
  const libc = openLibc();
  return { openSocket: (family) => openSocketIn(libc, target, family), close: () => closeSync(target) };
}

/** Whether a process still is there and no other has its pid. */
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

/**
 * There and back in one synchronous turn: only this thread changes over, and nothing else runs on it meanwhile. A thread that cannot get
 * back would do all further work in the network of a container, so the process ends.
 */
export function openSocketIn(libc: Libc, target: number, family: Family): number {
  const setns = libc.func('int setns(int fd, int type)');
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  // Of this thread: /proc/self is the main thread's.
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    if (setns(target, CLONE_NEWNET) !== 0) throw denied(systemError(libc, 'setns'));
    const fd = socket(family === 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const failure = fd < 0 ? systemError(libc, 'socket') : undefined;
    if (setns(home, CLONE_NEWNET) !== 0) process.abort();
    if (failure) throw failure;
    return fd;
  } finally {
    closeSync(home);
  }
}

function denied(cause: unknown): HealthctlError {
  return new HealthctlError('DENIED', "cannot enter the container's network namespace", {
    cause,
    hint: 'HTTP, TCP and gRPC checks need root (CAP_SYS_ADMIN)',
  });
}
