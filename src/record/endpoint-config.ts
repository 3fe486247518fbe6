import { isNumber, isObject, isText, itemsIn, objectIn, textMapIn, textsIn } from '../lib/shape.ts';
import { networkModeOf } from './network-mode.ts';
import type { StoredConfig } from './stored-config.ts';

/** What a user asked for on one of a container's networks: the settings among Docker's `EndpointSettings`. */
export interface EndpointConfig {
  /** Its name. */
  readonly network: string;
  /** Further names for others on a user network. */
  readonly aliases: readonly string[];
  /** Further names for others, known to the container alone: `db:database`. */
  readonly links: readonly string[];
  readonly ipv4Address?: string;
  readonly ipv6Address?: string;
  readonly mac?: string;
  /** The network with the highest number has the default route. */
  readonly gatewayPriority: number;
  readonly driverOpts: Readonly<Record<string, string>>;
}

/** Without wishes. */
export function plainEndpoint(network: string): EndpointConfig {
  return { network, aliases: [], links: [], gatewayPriority: 0, driverOpts: {} };
}

/** In the form of the stored config: Docker's keys, without the empty ones. */
export function endpointRecordOf(endpoint: EndpointConfig): Readonly<Record<string, unknown>> {
  const { network, aliases, links, ipv4Address, ipv6Address, mac, gatewayPriority, driverOpts } = endpoint;
  const ipam = ipamConfigOf(endpoint);
  return {
    Network: network,
    ...(aliases.length > 0 ? { Aliases: aliases } : {}),
    ...(links.length > 0 ? { Links: links } : {}),
    ...(ipv4Address === undefined && ipv6Address === undefined ? {} : { IPAMConfig: ipam }),
    ...(mac === undefined ? {} : { MacAddress: mac }),
    ...(gatewayPriority === 0 ? {} : { GwPriority: gatewayPriority }),
    ...(Object.keys(driverOpts).length > 0 ? { DriverOpts: driverOpts } : {}),
  };
}

/** Docker's `IPAMConfig`: null without an address. */
export function ipamConfigOf({ ipv4Address, ipv6Address }: EndpointConfig): Readonly<Record<string, string>> | null {
  if (ipv4Address === undefined && ipv6Address === undefined) return null;
  return {
    ...(ipv4Address === undefined ? {} : { IPv4Address: ipv4Address }),
    ...(ipv6Address === undefined ? {} : { IPv6Address: ipv6Address }),
  };
}

/** A link that names its container by id, `ID:alias`, as those of the default network do; undefined for another one. */
export function linkById(text: string): { readonly id: string; readonly alias: string } | undefined {
  const [, id, alias] = /^([0-9a-f]{64}):(.+)$/s.exec(text) ?? [];
  return id === undefined || alias === undefined ? undefined : { id, alias };
}

/**
 * The networks of a container of ours, in their order; none for one on the host's network, on none, or on that of
 * another container. A container by an earlier version has one, with the aliases.
 */
export function endpointsOf({ Endpoints, Aliases, HostConfig }: StoredConfig): readonly EndpointConfig[] {
  if (Endpoints !== undefined) return itemsIn(Endpoints).flatMap((item) => endpointFrom(item) ?? []);
  const { NetworkMode } = HostConfig;
  if (networkModeOf(NetworkMode).kind !== 'network') return [];
  return [{ ...plainEndpoint(NetworkMode), aliases: textsIn(Aliases) }];
}

function endpointFrom(item: unknown): EndpointConfig | undefined {
  if (!isObject(item) || !isText(item.Network)) return undefined;
  const { IPv4Address, IPv6Address } = objectIn(item.IPAMConfig);
  return {
    network: item.Network,
    aliases: textsIn(item.Aliases),
    links: textsIn(item.Links),
    ...(isText(IPv4Address) ? { ipv4Address: IPv4Address } : {}),
    ...(isText(IPv6Address) ? { ipv6Address: IPv6Address } : {}),
    ...(isText(item.MacAddress) ? { mac: item.MacAddress } : {}),
    gatewayPriority: isNumber(item.GwPriority) ? item.GwPriority : 0,
    driverOpts: textMapIn(item.DriverOpts),
  };
}
