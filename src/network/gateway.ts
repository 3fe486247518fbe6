import type { Membership } from './attachment.ts';

type Candidate = Pick<Membership, 'network' | 'gatewayPriority' | 'internal' | 'hasIpv6'>;

/**
 * The network of a container that has its default route and its published ports, by Docker's rule (moby:
 * libnetwork/sandbox.go, Less): not an internal one, the highest priority, one with IPv6 too, then the first name.
 * Undefined if all are internal.
 */
export function gatewayOf<T extends Candidate>(networks: readonly T[]): T | undefined {
  return networks
    .filter(({ internal }) => !internal)
    .toSorted(
      (a, b) =>
        b.gatewayPriority - a.gatewayPriority ||
        Number(b.hasIpv6) - Number(a.hasIpv6) ||
        (a.network < b.network ? -1 : 1),
    )[0];
}

/** Like `gatewayOf`, for IPv6. It is the same network, unless that has only IPv4. */
export function gateway6Of<T extends Candidate>(networks: readonly T[]): T | undefined {
  return gatewayOf(networks.filter(({ hasIpv6 }) => hasIpv6));
}
