import { closeSync } from 'node:fs';
import { isIP, Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import type { Endpoint } from '../health/native-test.ts';
import { errnoOf, hasCode, messageOf } from '../lib/errors.ts';
import type { NetworkNamespace } from '../system/netns.ts';
import { readFileOfProcess } from '../system/rootfs.ts';
import { addressesInHosts } from './hosts.ts';

/** What is read of a container's /etc/hosts, and how many addresses of a name are tried. */
const MAX_HOSTS_BYTES = 64 * 1024;
const MAX_ADDRESSES = 8;

/** The time that one check spends in a container's network: whatever it opens there is closed with it. */
export interface Visit {
  connect(endpoint: Endpoint): Promise<Connection>;
  /** Notes what has been seen so far: what a timeout tells. A function is asked then, and not each time that something comes. */
  note(seen: string | (() => string)): void;
  seen(): string;
  /** Closes all sockets. Idempotent; who waits for one of them hears of it. */
  close(): void;
}

export type Connection =
  /** @see place as it is shown: `127.0.0.1:80`, `[::1]:80` */
  | { readonly kind: 'connected'; readonly socket: Socket; readonly place: string }
  /** @see reason e.g. `connect 127.0.0.1:5432: connection refused` */
  | { readonly kind: 'failed'; readonly reason: string }
  /** There is no address to connect to. */
  | { readonly kind: 'unknown-host'; readonly reason: string };

/** @param pid a process of the container, in whose file system names are looked up */
export function openVisit(namespace: NetworkNamespace, pid: number): Visit {
  const sockets: Socket[] = [];
  let seen: string | (() => string) = '';
  return {
    connect: async ({ host, port }) => {
      const addresses = addressesOf(host, pid);
      if (typeof addresses === 'string') return { kind: 'unknown-host', reason: addresses };
      const reasons: string[] = [];
      for (const address of addresses) {
        const place = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
        seen = `connecting to ${place}`;
        const reason = await connectTo(namespace, { address, port }, sockets);
        const socket = sockets.at(-1);
        if (reason === undefined && socket) {
          seen = `connected to ${place}`;
          return { kind: 'connected', socket, place };
        }
        reasons.push(`connect ${place}: ${reason}`);
      }
      return { kind: 'failed', reason: reasons.join('; ') };
    },
    note: (text) => {
      seen = text;
    },
    seen: () => (typeof seen === 'string' ? seen : seen()),
    close: () => {
      for (const socket of sockets) socket.destroy();
      namespace.close();
    },
  };
}

/** `localhost` needs no file: an image without /etc/hosts can be checked. @returns a text: why there is no address */
function addressesOf(host: string, pid: number): readonly string[] | string {
  if (isIP(host) !== 0) return [host];
  if (host.toLowerCase() === 'localhost') return ['127.0.0.1', '::1'];
  let hosts: string;
  try {
    hosts = readFileOfProcess(pid, '/etc/hosts', MAX_HOSTS_BYTES)?.toString('latin1') ?? '';
  } catch (error) {
    // Of the container's making, so it is its check that fails, and not ours to report.
    if (!hasCode(error, 'INVALID')) throw error;
    return `the host ${host} cannot be looked up: ${messageOf(error)}`;
  }
  const found = addressesInHosts(hosts, host).filter((address) => isIP(address) !== 0);
  if (found.length > 0) return found.slice(0, MAX_ADDRESSES);
  return `the host ${host} is neither an IP address nor in the container's /etc/hosts`;
}

/** Adds a socket and connects it. @returns why it could not be connected */
async function connectTo(
  namespace: NetworkNamespace,
  { address, port }: { readonly address: string; readonly port: number },
  sockets: Socket[],
): Promise<string | undefined> {
  let fd: number;
  try {
    fd = namespace.openSocket(isIP(address) === 6 ? 6 : 4);
  } catch (error) {
    if (errnoOf(error) === 'EAFNOSUPPORT') return socketReasonOf(error);
    throw error;
  }
  const socket = socketFrom(fd);
  sockets.push(socket);
  return new Promise((resolve) => {
    const settle = (reason?: string) => {
      if (reason !== undefined) socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => settle(isConnectedToItself(socket) ? 'connection refused' : undefined));
    // Kept for the whole life of the socket: an error without a listener would end the process.
    socket.on('error', (error) => settle(socketReasonOf(error)));
    socket.once('close', () => settle('closed'));
    socket.connect({ host: address, port });
  });
}

function socketFrom(fd: number): Socket {
  // An option that is not documented: without it Node.js would read from a socket that is not connected yet.
  const options = { fd, manualStart: true };
  try {
    return new Socket(options);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The kernel may give a connection to a free port of the ephemeral range that very port as its source: it then talks to itself. */
function isConnectedToItself({ localPort, remotePort, localAddress, remoteAddress }: Socket): boolean {
  return localPort === remotePort && localAddress === remoteAddress;
}

/** The system's words for an error of a socket, e.g. `connection refused`; the message of any other error. */
export function socketReasonOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  const known = typeof errno === 'number' ? getSystemErrorMap().get(errno) : undefined;
  return known?.[1] ?? messageOf(error);
}
