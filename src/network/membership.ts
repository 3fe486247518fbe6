import { existsSync } from 'node:fs';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { openNetworkNamespace } from '../system/netns.ts';
import type { Attachment, InterfaceAddress, Membership } from './attachment.ts';
import { isHeld, membershipOf } from './attachment.ts';
import { configOf, type InterfaceWish, portmapOf } from './bridge-config.ts';
import { endpointFrom } from './cni-result.ts';
import { type InterfaceOptions, sysctlFileOf } from './interface-options.ts';
import { type LockedNetworks, type NetworkContext, networkPathsOf } from './network-context.ts';
import { DEFAULT_NETWORK, dnsNamesOf, type NamedOwner } from './network-names.ts';
import type { NetworkRecord } from './network-record.ts';
import { callPlugin, findPlugins, type PluginConfig } from './plugins.ts';
import type { PublishedPort } from './port-spec.ts';
import { holdsAddress, parseAddress, parseSubnet } from './subnet.ts';
import { holdsAddress6, parseAddress6, parseSubnet6 } from './subnet6.ts';

/** How to attach a container to one network. */
export interface NetworkRequest {
  readonly network: string;
  /** Further names for others on a user network. */
  readonly aliases: readonly string[];
  /** Further names for others, known to it alone: `db:database`. */
  readonly links: readonly string[];
  /** See gatewayOf. */
  readonly gatewayPriority: number;
  readonly interface: InterfaceOptions;
  /** The container has no IPv6, whatever the network has. */
  readonly isWithoutIpv6: boolean;
  /** The addresses that a user asked for. */
  readonly asked: { readonly address?: string; readonly address6?: string; readonly mac?: string };
  /**
   * Its address in an earlier run, to be used again if it is free: programs look a name up once and keep the address.
   */
  readonly wanted: InterfaceAddress | undefined;
}

/**
 * A membership as it is recorded before the plugins are called.
 *
 * @param from.others attachments of other containers
 * @throws DENIED with Docker's text for an address in use
 */
export function planMembership(
  ctx: NetworkContext,
  from: {
    readonly owner: NamedOwner;
    readonly request: NetworkRequest;
    readonly network: NetworkRecord;
    readonly others: readonly Attachment[];
    readonly interfaceName: string;
    readonly hasDefaultRoute: boolean;
  },
): Membership {
  const { owner, request, others, interfaceName, hasDefaultRoute } = from;
  const network = request.isWithoutIpv6 ? withoutIpv6(from.network) : from.network;
  const wish = wishOf(request, network, others);
  const { name, id, hostname } = owner;
  return {
    ...{ network: network.name, networkId: network.id, interfaceName },
    plugins: [configOf(network, { leases: networkPathsOf(ctx.dirs).leases, wish, hasDefaultRoute })],
    names: network.name === DEFAULT_NETWORK ? [] : dnsNamesOf({ name, id, hostname }, request.aliases),
    links: request.links,
    gatewayPriority: request.gatewayPriority,
    internal: network.internal,
    hasIpv6: network.ipv6 !== undefined,
    sysctls: request.interface.sysctls,
  };
}

const withoutIpv6 = ({ ipv6: _none, ...network }: NetworkRecord): NetworkRecord => network;

function wishOf(request: NetworkRequest, network: NetworkRecord, others: readonly Attachment[]): InterfaceWish {
  const { wanted } = request;
  const { address6: asked6, ...others4 } = request.asked;
  const asked = { ...others4, ...(network.ipv6 && asked6 !== undefined ? { address6: asked6 } : {}) };
  const inUse = [asked.address, asked.address6].find(
    (address) => address !== undefined && !isFree(address, network, others),
  );
  if (inUse !== undefined)
    throw new HealthctlError('DENIED', 'Address already in use', { hint: `another container has ${inUse}` });
  const { address: last, address6: last6 } = wanted ?? {};
  const address = asked.address ?? (isUsable(last, network, others) ? last : undefined);
  const address6 = asked.address6 ?? (isUsable6(last6, network, others) ? last6 : undefined);
  // With another hardware address, neighbours would still use the old one.
  const mac = asked.mac ?? (address !== undefined && address === last ? wanted?.mac : undefined);
  return {
    isAsked: (asked.address ?? asked.address6) !== undefined,
    ...(address === undefined ? {} : { address }),
    ...(address6 === undefined ? {} : { address6 }),
    ...(mac === undefined ? {} : { mac }),
  };
}

function isUsable(address: string | undefined, network: NetworkRecord, others: readonly Attachment[]): boolean {
  const number = parseAddress(address ?? '');
  const range = parseSubnet(network.ipRange ?? network.subnet);
  if (address === undefined || number === undefined || !range) return false;
  return holdsAddress(range, number) && isFree(address, network, others);
}

function isUsable6(
  address: string | undefined,
  { ipv6, ...network }: NetworkRecord,
  others: readonly Attachment[],
): boolean {
  const number = parseAddress6(address ?? '');
  const range = ipv6 && parseSubnet6(ipv6.ipRange ?? ipv6.subnet);
  if (address === undefined || number === undefined || !range) return false;
  return holdsAddress6(range, number) && isFree(address, { ...network, ipv6 }, others);
}

/** Whether no container has the address. Other leases are known only to the plugin. */
function isFree(address: string, { name, gateway, ipv6 }: NetworkRecord, others: readonly Attachment[]): boolean {
  if (address === gateway || address === ipv6?.gateway) return false;
  return others.every((other) => {
    const { endpoint } = membershipOf(other, name) ?? {};
    return endpoint?.address !== address && endpoint?.ipv6?.address !== address;
  });
}

/** The membership with a plugin more, which publishes the ports. */
export function withPorts(membership: Membership, ports: readonly PublishedPort[]): Membership {
  if (ports.length === 0) return membership;
  const portmap = portmapOf({ name: membership.network }, ports);
  return { ...membership, plugins: [...membership.plugins, portmap] };
}

type Subject = Pick<Attachment, 'id' | 'holder'>;

/** Makes the interface. Throws RUNTIME; DENIED for an asked address in use. */
export async function addMembership(
  ctx: LockedNetworks,
  subject: Subject,
  membership: Membership,
): Promise<Membership> {
  let result: unknown;
  for (const plugin of membership.plugins)
    result = await addPlugin(ctx, subject, { membership, plugin: withResult(plugin, result) });
  const endpoint = endpointFrom(result, membership.interfaceName);
  if (!endpoint) throw new HealthctlError('RUNTIME', `the plugins of network ${membership.network} gave no address`);
  setSysctls(subject, membership);
  return { ...membership, endpoint, result };
}

/** As Docker, an interface on a network without IPv6 has none, not even a link-local address. */
const NO_IPV6 = 'net.ipv6.conf.IFNAME.disable_ipv6=1';

function setSysctls({ holder }: Subject, { hasIpv6, sysctls, interfaceName }: Membership): void {
  const all = [...(hasIpv6 || !hasKernelIpv6() ? [] : [NO_IPV6]), ...sysctls];
  if (all.length === 0) return;
  const namespace = openNetworkNamespace(holder);
  if (!namespace) throw new HealthctlError('CONFLICT', `process ${holder.pid} has ended`);
  try {
    for (const sysctl of all) {
      const { path, value } = sysctlFileOf(sysctl, interfaceName);
      namespace.writeSysctl(path, value);
    }
  } catch (error) {
    throw new HealthctlError('RUNTIME', `unable to set sysctls of ${interfaceName}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    namespace.close();
  }
}

const hasKernelIpv6 = (): boolean => existsSync('/proc/sys/net/ipv6/conf/all/disable_ipv6');

/** Calls one plugin for an interface. @returns its result */
export function addPlugin(
  ctx: LockedNetworks,
  subject: Subject,
  { membership, plugin }: { readonly membership: Membership; readonly plugin: PluginConfig },
): Promise<unknown> {
  return callPlugin(ctx, { ...callOf(ctx, subject, membership), command: 'ADD', config: plugin });
}

/** Undoes `addPlugin`; also if it was not called, or the container is gone. */
export async function deletePlugin(
  ctx: LockedNetworks,
  subject: Subject,
  { membership, plugin }: { readonly membership: Membership; readonly plugin: PluginConfig },
): Promise<void> {
  const config = withResult(plugin, membership.result);
  await callPlugin(ctx, { ...callOf(ctx, subject, membership), command: 'DEL', config });
}

/** In reverse order. All plugins are called even if one fails; then throws its error. */
export async function deleteMembership(ctx: LockedNetworks, subject: Subject, membership: Membership): Promise<void> {
  let failure: unknown;
  for (const plugin of membership.plugins.toReversed()) {
    try {
      await deletePlugin(ctx, subject, { membership, plugin });
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

function callOf(ctx: LockedNetworks, { id, holder }: Subject, { interfaceName }: Membership) {
  const netns = isHeld({ holder }) ? `/proc/${holder.pid}/ns/net` : '';
  return { pluginDir: findPlugins(ctx.settings.cniBinDir), containerId: id, netns, interfaceName };
}

export const withResult = (plugin: PluginConfig, result: unknown): PluginConfig =>
  result === undefined ? plugin : { ...plugin, prevResult: result };
