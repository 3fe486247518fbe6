import { endianness } from 'node:os';
import { readKernelFile } from './kernel-file.ts';

/** A TCP socket that listens. */
export interface ListeningSocket {
  /** `127.0.0.1`, `::1`; `::` also accepts IPv4, unless the program says otherwise. */
  readonly address: string;
  readonly port: number;
}

/**
 * The TCP sockets that listen in the network namespace of a process. Undefined if the process is gone or may not be
 * looked at.
 */
export function listListeners(pid: number): readonly ListeningSocket[] | undefined {
  const texts = ['tcp', 'tcp6'].map((name) => readKernelFile(`/proc/${pid}/net/${name}`));
  if (texts[0] === undefined) return undefined; // a kernel without IPv6 has no tcp6
  return texts.flatMap((text) => listenersIn(text ?? '', endianness() === 'LE'));
}

/** TCP_LISTEN of the kernel's include/net/tcp_states.h. */
const LISTEN = '0A';
const LINE = /^\s*\d+: ([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4}) \S+ ([\dA-F]{2}) /i;

/** Pure: the listening sockets in the text of `/proc/net/tcp` or `tcp6` (proc_net_tcp.rst of the kernel). */
export function listenersIn(text: string, isLittleEndian: boolean): readonly ListeningSocket[] {
  return text.split('\n').flatMap((line) => {
    const [, address, port, state] = LINE.exec(line) ?? [];
    if (address === undefined || port === undefined || state?.toUpperCase() !== LISTEN) return [];
    return [{ address: addressFrom(address, isLittleEndian), port: Number.parseInt(port, 16) }];
  });
}

/** The kernel prints each 32-bit word in the byte order of the machine. */
function addressFrom(hex: string, isLittleEndian: boolean): string {
  const bytes = Buffer.from(hex, 'hex');
  if (isLittleEndian) bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  // An IPv6 socket that is bound to an IPv4 address.
  if (bytes.subarray(0, 12).equals(MAPPED)) return bytes.subarray(12).join('.');
  return shortIPv6(bytes);
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** In the shortest form (RFC 5952). */
function shortIPv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16)).join(':');
  return new URL(`http://[${groups}]/`).hostname.slice(1, -1);
}
