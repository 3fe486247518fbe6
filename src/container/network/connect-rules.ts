import { HealthctlError } from '../../lib/errors.ts';
import { networkModeOf } from '../../record/network-mode.ts';

/**
 * Refuses to combine networks that cannot be combined, in Docker's words (moby: daemon/container_operations.go,
 * updateNetworkSettings). Throws INVALID.
 *
 * @param change.names the networks that the container has
 */
export function refuseConnection({
  mode,
  names,
  network,
}: {
  readonly mode: string;
  readonly names: readonly string[];
  readonly network: string;
}): void {
  const refuse = (message: string) => new HealthctlError('INVALID', message);
  const { kind } = networkModeOf(mode);
  const shared =
    'container sharing network namespace with another container or host cannot be connected to any other network';
  if (kind === 'container') throw refuse(shared);
  if (network === 'host' && kind !== 'host')
    throw refuse('cannot connect container to host network - container must be created in host network mode');
  if (names.includes(network)) return;
  if (kind === 'host' && names.includes('host')) throw refuse(shared);
  if (names.length > 0 && (names.includes('none') || network === 'none'))
    throw refuse('container cannot be connected to multiple networks with one of the networks in private (none) mode');
}
