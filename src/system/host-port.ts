import { closeSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';
import { IS_LITTLE, int16, int32 } from './host-number.ts';
import { type Libc, openLibc, systemError } from './libc.ts';
import { int64, withNativeCopy } from './native-memory.ts';

// asm-generic/socket.h, linux/in.h, linux/netlink.h, linux/rtnetlink.h
const AF_INET = 2;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
const NETLINK_ROUTE = 0;
const RTMGRP_LINK = 1;
const RTM_DELLINK = 17;

const SOCKADDR_IN_SIZE = 16;

export interface HostPort {
  readonly protocol: 'tcp' | 'udp';
  /** An IPv4 address; `0.0.0.0` for all. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface BoundPort {
  /** Close-on-exec, blocking. */
  readonly fd: number;
  readonly port: number;
}

/**
 * Binds a socket to a port of this host, so that no other program can bind it. It never receives data: packets to a
 * published port go to another socket, and a packet that the firewall rules missed is dropped instead of waiting to be
 * accepted.
 *
 * @throws system errors: EADDRINUSE, EADDRNOTAVAIL, EACCES, EMFILE …
 */
export function bindPort({ protocol, address, port }: HostPort): BoundPort {
  const libc = openLibc();
  const fd = openSocket(libc, AF_INET, protocol === 'tcp' ? SOCK_STREAM : SOCK_DGRAM, 0);
  try {
    // Ignores connections that an ended server left in TIME_WAIT. UDP has no such state, and would share the port.
    if (protocol === 'tcp') setOption(libc, fd, SO_REUSEADDR, int32(1));
    attachFilter(libc, fd, [RETURN(0)]);
    bindTo(libc, fd, { address, port });
    return { fd, port: portOf(libc, fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Binds a socket to an address of IPv4, in the network of the socket. TCP ignores connections in TIME_WAIT.
 *
 * @throws system errors, such as EADDRINUSE
 */
export function bindSocket(fd: number, { protocol, address, port }: HostPort): void {
  const libc = openLibc();
  if (protocol === 'tcp') setOption(libc, fd, SO_REUSEADDR, int32(1));
  bindTo(libc, fd, { address, port });
}

/** Makes the kernel drop everything that arrives at a socket, which costs us nothing, or ends that. Idempotent. */
export function setDropping(fd: number, isDropping: boolean): void {
  const libc = openLibc();
  try {
    if (isDropping) attachFilter(libc, fd, [RETURN(0)]);
    else setOption(libc, fd, SO_DETACH_FILTER, int32(0));
  } catch (error) {
    if (isDropping || errnoOf(error) !== 'ENOENT') throw error; // there is none
  }
}

function bindTo(libc: Libc, fd: number, { address, port }: Omit<HostPort, 'protocol'>): void {
  const name = sockaddrIn(address, port);
  if (libc.func('int bind(int fd, const void *address, unsigned int size)')(fd, name, name.length) !== 0)
    throw systemError(libc, 'bind');
}

/**
 * Makes a bound TCP socket listen: only then do other programs see the port in use, even those that set SO_REUSEADDR.
 *
 * @throws system errors: EADDRINUSE if another program was faster
 */
export function listenOn(fd: number): void {
  const libc = openLibc();
  if (libc.func('int listen(int fd, int backlog)')(fd, 0) !== 0) throw systemError(libc, 'listen');
}

/**
 * A descriptor that becomes readable when an interface of this host is removed, and never before: a netlink socket with
 * a filter that drops all other messages. It needs no privilege.
 *
 * @returns undefined if there is no such interface (any more)
 */
export function openInterfaceEnd(name: string): number | undefined {
  const libc = openLibc();
  const indexOf = libc.func('unsigned int if_nametoindex(const char *name)');
  const index = indexOf(name);
  if (index === 0) return undefined;
  const fd = openSocket(libc, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  try {
    attachFilter(libc, fd, deletionOf(index));
    const address = sockaddrNetlink(RTMGRP_LINK);
    if (libc.func('int bind(int fd, const void *address, unsigned int size)')(fd, address, address.length) !== 0)
      throw systemError(libc, 'bind');
    // From here on no removal is missed. One before this has removed the name.
    if (indexOf(name) === index) return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return undefined;
}

function openSocket(libc: Libc, domain: number, type: number, protocol: number): number {
  const fd = libc.func('int socket(int domain, int type, int protocol)')(domain, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) throw systemError(libc, 'socket');
  return fd;
}

function setOption(libc: Libc, fd: number, name: number, value: Buffer): void {
  const set = libc.func('int setsockopt(int fd, int level, int name, const void *value, unsigned int size)');
  if (set(fd, SOL_SOCKET, name, value, value.length) !== 0) throw systemError(libc, 'setsockopt');
}

/** One instruction of the classic packet filter (linux/filter.h). Jumps are relative to the next one. */
interface Instruction {
  readonly code: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly value: number;
}

const instruction = (code: number, value: number, whenTrue = 0, whenFalse = 0): Instruction => ({
  ...{ code, value, whenTrue, whenFalse },
});
const LOAD_WORD = (offset: number) => instruction(0x20, offset);
const LOAD_HALF = (offset: number) => instruction(0x28, offset);
const LOAD_BYTE = (offset: number) => instruction(0x30, offset);
/** Continues if equal, otherwise jumps to the `skipped`-th instruction after the next. */
const UNLESS_EQUAL = (value: number, skipped: number) => instruction(0x15, value, 0, skipped);
/** Number of bytes of the message to keep; 0 drops it. */
const RETURN = (bytes: number) => instruction(0x06, bytes);

/**
 * `struct nlmsghdr` (type at 4, 16 bytes) and `struct ifinfomsg` (family at 16, index at 20). A message of another
 * family only reports that the interface left its bridge.
 */
function deletionOf(index: number): readonly Instruction[] {
  return [
    ...[LOAD_HALF(4), UNLESS_EQUAL(asLoaded(RTM_DELLINK, 2), 5)],
    ...[LOAD_BYTE(16), UNLESS_EQUAL(0, 3)],
    ...[LOAD_WORD(20), UNLESS_EQUAL(asLoaded(index, 4), 1)],
    ...[RETURN(0xffff_ffff), RETURN(0)],
  ];
}

/** A number in host order as the filter loads it: the filter assumes network order. */
function asLoaded(value: number, size: 2 | 4): number {
  const bytes = Buffer.alloc(size);
  if (IS_LITTLE) bytes.writeUIntLE(value, 0, size);
  else bytes.writeUIntBE(value, 0, size);
  return bytes.readUIntBE(0, size);
}

/** `struct sock_fprog`: a count and a pointer to instructions, which the kernel copies. */
function attachFilter(libc: Libc, fd: number, program: readonly Instruction[]): void {
  const code = Buffer.concat(
    program.map(({ code, whenTrue, whenFalse, value }) =>
      Buffer.concat([int16(code), Buffer.from([whenTrue, whenFalse]), int32(value)]),
    ),
  );
  withNativeCopy(libc, { size: code.length, bytesAt: () => code }, (address) => {
    const filter = Buffer.concat([int16(program.length), Buffer.alloc(6), int64(address)]);
    setOption(libc, fd, SO_ATTACH_FILTER, filter);
  });
}

function portOf(libc: Libc, fd: number): number {
  const [name, size] = [Buffer.alloc(SOCKADDR_IN_SIZE), int32(SOCKADDR_IN_SIZE)];
  if (libc.func('int getsockname(int fd, void *address, void *size)')(fd, name, size) !== 0)
    throw systemError(libc, 'getsockname');
  return name.readUInt16BE(2);
}

function sockaddrIn(address: string, port: number): Buffer {
  const name = Buffer.alloc(SOCKADDR_IN_SIZE);
  int16(AF_INET).copy(name);
  name.writeUInt16BE(port, 2);
  Buffer.from(address.split('.').map(Number)).copy(name, 4);
  return name;
}

/** `struct sockaddr_nl`; the kernel chooses our port number. */
const sockaddrNetlink = (groups: number): Buffer => Buffer.concat([int16(AF_NETLINK), Buffer.alloc(6), int32(groups)]);
