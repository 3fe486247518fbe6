import { spanOf } from './address-range.ts';
import type { InterfaceAddress } from './attachment.ts';
import type { NetworkRecord } from './network-record.ts';
import type { PluginConfig } from './plugins.ts';
import type { PublishedPort } from './port-spec.ts';
import { addressText, parseSubnet } from './subnet.ts';

/** The newest CNI version that every release of the plugins since 2019 supports. */
const CNI_VERSION = '0.4.0';

/**
 * Configuration of the plugin `bridge`. Masquerading is a rule of the network, see firewall.ts.
 *
 * @param leases directory of host-local
 * @param wanted the address to use; by default host-local and the kernel choose; host-local fails if the address is in
 *   use
 */
export function configOf(
  { name, bridge, subnet, ipRange, gateway, internal, mtu }: NetworkRecord,
  leases: string,
  wanted: InterfaceAddress | undefined,
): PluginConfig {
  return {
    ...{ cniVersion: CNI_VERSION, name, type: 'bridge', bridge },
    isGateway: true,
    isDefaultGateway: !internal,
    ipMasq: false,
    // A container can reach a port that it publishes itself.
    hairpinMode: true,
    ...(mtu !== undefined && { mtu }),
    ipam: { type: 'host-local', dataDir: leases, ranges: [[{ subnet, ...boundsOf(subnet, ipRange), gateway }]] },
    ...(wanted && { args: { cni: { ips: [wanted.address], ...(wanted.mac !== '' && { mac: wanted.mac }) } } }),
  };
}

/** The first and last address for host-local, if it may not use the whole subnet. */
function boundsOf(subnetText: string, rangeText: string | undefined) {
  const subnet = parseSubnet(subnetText);
  const range = rangeText === undefined ? undefined : parseSubnet(rangeText);
  if (!subnet || !range) return {};
  const { first, last } = spanOf(subnet, range);
  return { rangeStart: addressText(first), rangeEnd: addressText(last) };
}

/** Configuration of the plugin `portmap`. `snat` makes a port answer on 127.0.0.1, and to the container itself. */
export function portmapOf({ name }: NetworkRecord, ports: readonly PublishedPort[]): PluginConfig {
  return {
    ...{ cniVersion: CNI_VERSION, name, type: 'portmap', snat: true },
    capabilities: { portMappings: true },
    runtimeConfig: {
      portMappings: ports.map(({ hostIp, hostPort, containerPort, protocol }) => ({
        ...{ hostPort, containerPort, protocol },
        hostIP: hostIp === '0.0.0.0' ? '' : hostIp,
      })),
    },
  };
}
