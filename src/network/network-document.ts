import { type Attachment, isHeld, listAttachments, membershipOf } from './attachment.ts';
import { endpointIdOf } from './endpoint-id.ts';
import type { KnownNetwork } from './known-networks.ts';
import type { NetworkContext } from './network-context.ts';
import { BRIDGE_OPTION, MTU_OPTION } from './network-option.ts';
import type { NetworkRecord } from './network-record.ts';

/** Docker's creation time of a built-in network. */
const NEVER = '0001-01-01T00:00:00Z';

/** Docker's document of a network (moby: api/types/network Inspect), keys in its order. */
export function networkDocument(network: KnownNetwork, members: readonly Attachment[]) {
  const { addresses } = network;
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created ?? NEVER,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: addresses?.ipv6 !== undefined,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: addresses ? [rangeOf(addresses), ...(addresses.ipv6 ? [rangeOf(addresses.ipv6)] : [])] : null,
    },
    Internal: network.internal,
    Attachable: network.attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(members.map((member) => [member.id, endpointOf(member, network.name)])),
    Options: addresses ? optionsOf(addresses) : {},
    Labels: network.labels,
  };
}

function optionsOf({ bridge, mtu, options }: NonNullable<KnownNetwork['addresses']>): Readonly<Record<string, string>> {
  return { ...options, [BRIDGE_OPTION]: bridge, ...(mtu !== undefined && { [MTU_OPTION]: `${mtu}` }) };
}

function rangeOf({ subnet, ipRange, gateway }: Pick<NetworkRecord, 'subnet' | 'ipRange' | 'gateway'>) {
  return { Subnet: subnet, ...(ipRange !== undefined && { IPRange: ipRange }), Gateway: gateway };
}

function endpointOf(member: Attachment, network: string) {
  const { networkId = '', endpoint } = membershipOf(member, network) ?? {};
  return {
    Name: member.name,
    EndpointID: endpointIdOf(member, networkId),
    MacAddress: endpoint?.mac ?? '',
    IPv4Address: endpoint ? `${endpoint.address}/${endpoint.prefix}` : '',
    IPv6Address: endpoint?.ipv6 ? `${endpoint.ipv6.address}/${endpoint.ipv6.prefix}` : '',
  };
}

/** The containers attached to a network now. */
export function membersOf(ctx: Pick<NetworkContext, 'dirs'>, network: string): readonly Attachment[] {
  return listAttachments(ctx).filter((one) => membershipOf(one, network) !== undefined && isHeld(one));
}

/** The names of the networks that have containers now. */
export function usedNetworks(ctx: Pick<NetworkContext, 'dirs'>): ReadonlySet<string> {
  const held = listAttachments(ctx).filter((attachment) => isHeld(attachment));
  return new Set(held.flatMap(({ memberships }) => memberships.map(({ network }) => network)));
}
