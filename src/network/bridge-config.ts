import { spanOf } from './address-range.ts';
import type { Addresses6 } from './network-addresses.ts';
import type { NetworkRecord } from './network-record.ts';
import type { PluginConfig } from './plugins.ts';
import type { PublishedPort } from './port-spec.ts';
import { addressText, parseSubnet } from './subnet.ts';
import { address6Text, parseSubnet6, spanOf6 } from './subnet6.ts';

/** The newest CNI version that every release of the plugins since 2019 supports. */
const CNI_VERSION = '0.4.0';

/** An address to ask for: host-local fails if it is in use; what is absent, host-local and the kernel choose. */
export interface InterfaceWish {
  readonly address?: string;
  readonly address6?: string;
  readonly mac?: string;
  /**
   * The user asked for an address, which may be anywhere in the subnet. Otherwise they are in the range for containers.
   */
  readonly isAsked: boolean;
}

/**
 * Configuration of the plugin `bridge`. Masquerading is a rule of the network, see firewall.ts.
 *
 * @param options.leases directory of host-local
 * @param options.hasDefaultRoute the container's default route is through this network
 */
export function configOf(
  { name, bridge, subnet, ipRange, gateway, mtu, ipv6 }: NetworkRecord,
  options: { readonly leases: string; readonly wish: InterfaceWish; readonly hasDefaultRoute: boolean },
): PluginConfig {
  const { leases, wish, hasDefaultRoute } = options;
  const range = { subnet, ...boundsOf(subnet, wish.isAsked ? undefined : ipRange), gateway };
  const ranges = [[range], ...(ipv6 ? [[rangeOf6(ipv6, wish.isAsked)]] : [])];
  const ips = [wish.address, wish.address6].filter((address) => address !== undefined);
  const args = {
    ...(ips.length === 0 ? {} : { ips }),
    ...(wish.mac === undefined || wish.mac === '' ? {} : { mac: wish.mac }),
  };
  return {
    ...{ cniVersion: CNI_VERSION, name, type: 'bridge', bridge },
    isGateway: true,
    isDefaultGateway: hasDefaultRoute,
    ipMasq: false,
    // A container can reach a port that it publishes itself.
    hairpinMode: true,
    ...(mtu !== undefined && { mtu }),
    ipam: { type: 'host-local', dataDir: leases, ranges },
    ...(Object.keys(args).length > 0 && { args: { cni: args } }),
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

function rangeOf6({ subnet: subnetText, ipRange, gateway }: Addresses6, isAsked: boolean) {
  const subnet = parseSubnet6(subnetText);
  const range = ipRange === undefined || isAsked ? undefined : parseSubnet6(ipRange);
  if (!subnet || !range) return { subnet: subnetText, gateway };
  const { first, last } = spanOf6(subnet, range);
  return { subnet: subnetText, rangeStart: address6Text(first), rangeEnd: address6Text(last), gateway };
}

/** Configuration of the plugin `portmap`. `snat` makes a port answer on 127.0.0.1, and to the container itself. */
export function portmapOf({ name }: Pick<NetworkRecord, 'name'>, ports: readonly PublishedPort[]): PluginConfig {
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
