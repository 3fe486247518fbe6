import { HealthctlError } from '../lib/errors.ts';
import type { PortRequest, Protocol, PublishedPort } from './port-spec.ts';

/** Tries to reserve a port of the host; port 0: any. @returns the port, undefined if it is in use */
export type TryPort = (endpoint: {
  readonly hostIp: string;
  readonly port: number;
  readonly protocol: Protocol;
}) => Promise<number | undefined>;

/** Number of tries for a random port, if the one found is held by a container. */
const RANDOM_TRIES = 50;

/**
 * Finds a port of the host for each request. Ports of containers are known from records and rules: Docker has another
 * error for them than for a program's port.
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
  if (isInUse) throw portInUse({ hostIp, hostPort: firstHostPort, protocol });
  throw new HealthctlError('CONFLICT', `Bind for ${hostIp}:${firstHostPort} failed: port is already allocated`, {
    hint: 'another container publishes it: see "healthctl ps"',
  });
}

/** Docker's error for a port in use by a program of this host. */
export function portInUse(endpoint: Omit<PublishedPort, 'containerPort'>, cause?: unknown): HealthctlError {
  const { hostIp, hostPort, protocol } = endpoint;
  return new HealthctlError(
    'CONFLICT',
    `failed to bind host port ${hostIp}:${hostPort}/${protocol}: address already in use`,
    {
      cause,
      hint: `a program of this host listens there: see "ss -lnp 'sport = :${hostPort}'"`,
    },
  );
}

const ANY = '0.0.0.0';
const meets = (a: string, b: string): boolean => a === b || a === ANY || b === ANY;
