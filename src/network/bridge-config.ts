import { spanOf } from './address-range.ts';
import type { InterfaceAddress } from './attachment.ts';
import type { NetworkRecord } from './network-record.ts';
import type { PluginConfig } from './plugins.ts';
import type { PublishedPort } from './port-spec.ts';
import { addressText, parseSubnet } from './subnet.ts';

/** The newest of CNI's versions that every release of the plugins since 2019 takes. */
const CNI_VERSION = '0.4.0';

/**
 * Of the plugin `bridge`. Masquerading is a rule of the network, see firewall.ts.
 *
 * @param leases directory of host-local
 * @param wanted what to take; host-local and the kernel choose unless it is given, and host-local fails when the address is taken
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
    // A container reaches a port that it publishes itself.
    hairpinMode: true,
    ...(mtu !== undefined && { mtu }),
    ipam: { type: 'host-local', dataDir: leases, ranges: [[{ subnet, ...boundsOf(subnet, ipRange), gateway }]] },
    ...(wanted && { args: { cni: { ips: [wanted.address], ...(wanted.mac !== '' && { mac: wanted.mac }) } } }),
  };
}

/** Where host-local begins and ends when it may not give every address of the subnet. */
function boundsOf(subnetText: string, rangeText: string | undefined) {
  const subnet = parseSubnet(subnetText);
  const range = rangeText === undefined ? undefined : parseSubnet(rangeText);
  if (!subnet || !range) return {};
  const { first, last } = spanOf(subnet, range);
  return { rangeStart: addressText(first), rangeEnd: addressText(last) };
}

/** Of the plugin `portmap`. `snat` is what makes a port answer on 127.0.0.1, and to the container itself. */
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
