import { type Attachment, isHeld, listAttachments } from './attachment.ts';
import type { KnownNetwork } from './known-networks.ts';
import type { NetworkContext } from './network-context.ts';
import { MTU_OPTION } from './network-option.ts';

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
    EnableIPv6: false,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: addresses ? [rangeOf(addresses)] : null,
    },
    Internal: network.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(members.map((member) => [member.id, endpointOf(member)])),
    Options: addresses ? optionsOf(addresses) : {},
    Labels: network.labels,
  };
}

function optionsOf({ bridge, mtu }: NonNullable<KnownNetwork['addresses']>): Readonly<Record<string, string>> {
  return { 'com.docker.network.bridge.name': bridge, ...(mtu !== undefined && { [MTU_OPTION]: `${mtu}` }) };
}

function rangeOf({ subnet, ipRange, gateway }: NonNullable<KnownNetwork['addresses']>) {
  return { Subnet: subnet, ...(ipRange !== undefined && { IPRange: ipRange }), Gateway: gateway };
}

function endpointOf({ name, endpoint }: Attachment) {
  return {
    Name: name,
    EndpointID: '',
    MacAddress: endpoint?.mac ?? '',
    IPv4Address: endpoint ? `${endpoint.address}/${endpoint.prefix}` : '',
    IPv6Address: '',
  };
}

/** The containers attached to a network now. */
export function membersOf(ctx: Pick<NetworkContext, 'dirs'>, network: string): readonly Attachment[] {
  return listAttachments(ctx).filter((attachment) => attachment.network === network && isHeld(attachment));
}
