import { closeSync } from 'node:fs';
import { isIP, Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import type { Endpoint } from '../health/native-test.ts';
import { errnoOf, hasCode, messageOf } from '../lib/errors.ts';
import type { NetworkNamespace } from '../system/netns.ts';
import { readFileOfProcess } from '../system/rootfs.ts';
import { addressesInHosts } from './hosts.ts';

/** Limits on reading a container's /etc/hosts, and on the addresses of a name to try. */
const MAX_HOSTS_BYTES = 64 * 1024;
const MAX_ADDRESSES = 8;

/** The sockets that one check opens in a container's network; they are closed together. */
export interface NetworkSession {
  connect(endpoint: Endpoint): Promise<Connection>;
  /**
   * Records what was observed so far, for the message of a timeout. A function is evaluated then, not with each record.
   */
  note(seen: string | (() => string)): void;
  seen(): string;
  /** Closes all sockets. Idempotent; a caller that waits for a socket is notified. */
  close(): void;
}

export type Connection =
  /** @see endpointText the endpoint as shown: `127.0.0.1:80`, `[::1]:80` */
  | { readonly kind: 'connected'; readonly socket: Socket; readonly endpointText: string }
  /** @see reason e.g. `connect 127.0.0.1:5432: connection refused` */
  | { readonly kind: 'failed'; readonly reason: string }
  /** There is no address to connect to. */
  | { readonly kind: 'unknown-host'; readonly reason: string };

/** @param pid a process of the container, in whose file system names are resolved */
export function openNetworkSession(namespace: NetworkNamespace, pid: number): NetworkSession {
  const sockets: Socket[] = [];
  let seen: string | (() => string) = '';
  return {
    connect: async ({ host, port }) => {
      const addresses = addressesOf(host, pid);
      if (typeof addresses === 'string') return { kind: 'unknown-host', reason: addresses };
      const reasons: string[] = [];
      for (const address of addresses) {
        const endpointText = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
        seen = `connecting to ${endpointText}`;
        const reason = await connectTo(namespace, { address, port }, sockets);
        const socket = sockets.at(-1);
        if (reason === undefined && socket) {
          seen = `connected to ${endpointText}`;
          return { kind: 'connected', socket, endpointText };
        }
        reasons.push(`connect ${endpointText}: ${reason}`);
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

/**
 * `localhost` needs no file, so an image without /etc/hosts can be checked.
 * @returns the addresses, or a text: why there are none
 */
function addressesOf(host: string, pid: number): readonly string[] | string {
  if (isIP(host) !== 0) return [host];
  if (host.toLowerCase() === 'localhost') return ['127.0.0.1', '::1'];
  let hosts: string;
  try {
    hosts = readFileOfProcess(pid, '/etc/hosts', MAX_HOSTS_BYTES)?.toString('latin1') ?? '';
  } catch (error) {
    // The container made the file, so its check fails; this is no failure of ours.
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
    // Stays for the whole life of the socket: an error without a listener would end the process.
    socket.on('error', (error) => settle(socketReasonOf(error)));
    socket.once('close', () => settle('closed'));
    socket.connect({ host: address, port });
  });
}

function socketFrom(fd: number): Socket {
  // An undocumented option: without it, Node.js would read from a socket that is not connected yet.
  const options = { fd, manualStart: true };
  try {
    return new Socket(options);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * If the port is free and in the ephemeral range, the kernel may use it as the source port too: the connection then
 * talks to itself.
 */
function isConnectedToItself({ localPort, remotePort, localAddress, remoteAddress }: Socket): boolean {
  return localPort === remotePort && localAddress === remoteAddress;
}

/** The system's text for a socket error, e.g. `connection refused`; the message of any other error. */
export function socketReasonOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  const known = typeof errno === 'number' ? getSystemErrorMap().get(errno) : undefined;
  return known?.[1] ?? messageOf(error);
}
