import { DEFAULT_NETWORK } from '../network/network-names.ts';
import { networkConfigOf, usedNetworkOf } from './network-config.ts';
import { networkModeOf } from './network-mode.ts';
import type { StoredConfig } from './stored-config.ts';

/**
 * The servers that a user gave for a container that the monitor's DNS server answers, none for the host's. Undefined for
 * a container that serves DNS itself: it listens on port 53 of all its addresses, which it could not if we did.
 */
export function nameServersOf(config: StoredConfig): readonly string[] | undefined {
  const { exposed, ports, dns } = networkConfigOf(config);
  const isServer =
    exposed.some((port) => /^53(?:\/|$)/.test(port)) || ports.some(({ containerPort }) => containerPort === 53);
  return isServer ? undefined : dns;
}

/** Whether a container's resolv.conf lists the monitor's server: on a user network, as with Docker. */
export function asksMonitor(config: StoredConfig): boolean {
  const network = usedNetworkOf(config);
  return (
    networkModeOf(network).kind === 'network' && network !== DEFAULT_NETWORK && nameServersOf(config) !== undefined
  );
}
