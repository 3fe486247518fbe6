import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import type { PortRequest, Protocol, PublishedPort } from './port-spec.ts';

/** Tells whether a port of the host can be had; port 0: any. @returns the port, undefined for one in use */
export type TryPort = (place: {
  readonly hostIp: string;
  readonly port: number;
  readonly protocol: Protocol;
}) => Promise<number | undefined>;

/** How often another random port is taken when the one found is held by a container. */
const RANDOM_TRIES = 50;

/**
 * Finds a port of the host for each request. What containers hold is known from their records, because no process listens there.
 *
 * @throws CONFLICT with Docker's text, for all or for the last of a range
 */
export async function allocatePorts(
  requests: readonly PortRequest[],
  held: readonly PublishedPort[],
  tryPort: TryPort,
): Promise<readonly PublishedPort[]> {
  const found: PublishedPort[] = [];
  for (const request of requests) found.push(await allocatePort(request, [...held, ...found], tryPort));
  return found;
}

async function allocatePort(
  request: PortRequest,
  held: readonly PublishedPort[],
  tryPort: TryPort,
): Promise<PublishedPort> {
  const { hostIp: asked, firstHostPort, lastHostPort, containerPort, protocol } = request;
  const hostIp = asked === '' ? ANY : asked;
  const isHeld = (port: number): boolean =>
    held.some((other) => other.hostPort === port && other.protocol === protocol && meets(other.hostIp, hostIp));
  const isAny = lastHostPort === 0;
  const candidates = isAny
    ? Array.from({ length: RANDOM_TRIES }, () => 0)
    : Array.from({ length: lastHostPort - firstHostPort + 1 }, (_, index) => firstHostPort + index);
  let isInUse = false;
  for (const port of candidates) {
    if (isHeld(port)) continue;
    const hostPort = await tryPort({ hostIp, port, protocol });
    if (hostPort === undefined) isInUse = true;
    if (hostPort !== undefined && !isHeld(hostPort)) return { hostIp, hostPort, containerPort, protocol };
  }
  if (firstHostPort !== lastHostPort || isAny)
    throw new HealthctlError('CONFLICT', 'all ports are allocated', {
      hint: 'give another range, or a host port with -p',
    });
  const place = `${hostIp}:${firstHostPort}`;
  throw isInUse
    ? new HealthctlError('CONFLICT', `failed to bind host port ${place}/${protocol}: address already in use`, {
        hint: `a program of this host listens there: see "ss -lnp 'sport = :${firstHostPort}'"`,
      })
    : new HealthctlError('CONFLICT', `Bind for ${place} failed: port is already allocated`, {
        hint: 'another container publishes it: see "healthctl ps"',
      });
}

const ANY = '0.0.0.0';
const meets = (a: string, b: string): boolean => a === b || a === ANY || b === ANY;

/** By binding to it, which is given up at once. Throws INVALID for an address that this host does not have. */
export const tryPortOfHost: TryPort = async ({ hostIp, port, protocol }) => {
  if (protocol === 'sctp') return port === 0 ? undefined : port; // Node.js has no such sockets
  try {
    return await (protocol === 'tcp' ? bindTcp(hostIp, port) : bindUdp(hostIp, port));
  } catch (error) {
    if (errnoOf(error) === 'EADDRINUSE') return undefined;
    const reason = errnoOf(error) === 'EADDRNOTAVAIL' ? 'cannot assign requested address' : errnoOf(error);
    throw new HealthctlError('INVALID', `failed to bind host port ${hostIp}:${port}/${protocol}: ${reason}`, {
      cause: error,
    });
  }
};

function bindTcp(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}

function bindUdp(address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}
