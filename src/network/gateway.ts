import type { Membership } from './attachment.ts';

type Candidate = Pick<Membership, 'network' | 'gatewayPriority' | 'internal'>;

/**
 * The network of a container that has its default route and its published ports, by Docker's rule (moby:
 * libnetwork/sandbox.go, Less): not an internal one, the highest priority, then the first name. Undefined if all are
 * internal.
 */
export function gatewayOf<T extends Candidate>(networks: readonly T[]): T | undefined {
  return networks
    .filter(({ internal }) => !internal)
    .toSorted((a, b) => b.gatewayPriority - a.gatewayPriority || (a.network < b.network ? -1 : 1))[0];
}
