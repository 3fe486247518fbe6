import { setDefaultRoute } from '../system/default-route.ts';
import { type Attachment, type Membership, membershipOf } from './attachment.ts';
import { portmapOf } from './bridge-config.ts';
import { gateway6Of, gatewayOf } from './gateway.ts';
import { addPlugin, deletePlugin, withResult } from './membership.ts';
import type { LockedNetworks } from './network-context.ts';
import { holdPorts } from './port-holder.ts';
import { openPortSockets } from './port-sockets.ts';
import type { PortRequest, PublishedPort } from './port-spec.ts';
import { portsFor } from './ports-for.ts';
import { addressBytes } from './subnet.ts';
import { address6Bytes } from './subnet6.ts';

/** A change of a running container's networks. */
interface Change {
  readonly before: Attachment;
  readonly after: Attachment;
  /** The ports that it should publish. */
  readonly ports: readonly PortRequest[];
  /** Attachments of other containers. */
  readonly others: readonly Attachment[];
}

/**
 * Gives the default route and the published ports to the network that now has them: see gatewayOf. Without such a
 * network nothing is published.
 *
 * @throws CONFLICT with Docker's text for a port in use; RUNTIME
 */
export async function moveGateway(ctx: LockedNetworks, change: Change): Promise<Attachment> {
  const { before, after } = change;
  const [from, to] = [gatewayOf(before.memberships), gatewayOf(after.memberships)];
  const isSame = from?.network === to?.network;
  const [from6, to6] = [gateway6Of(before.memberships), gateway6Of(after.memberships)];
  if (!isSame) routeThrough(after, to);
  if (from6?.network !== to6?.network) routeThrough6(after, to6);
  if (!to) return { ...after, ports: [] };
  if (after.ports.length === 0) return publishPorts(ctx, to, change);
  return isSame ? after : movePorts(ctx, after, { from: from && membershipOf(after, from.network), to });
}

/** Sets the default route; without a network, removes it. */
export function routeThrough({ holder }: Pick<Attachment, 'holder'>, membership: Membership | undefined): void {
  const gateway = membership?.endpoint?.gateway;
  setDefaultRoute(holder, 4, gateway === undefined ? undefined : addressBytes(gateway));
}

/** Like `routeThrough`, for IPv6. */
export function routeThrough6({ holder }: Pick<Attachment, 'holder'>, membership: Membership | undefined): void {
  const gateway = membership?.endpoint?.ipv6?.gateway;
  setDefaultRoute(holder, 6, gateway === undefined ? undefined : address6Bytes(gateway));
}

/** They were not published, because no network had a way out. */
async function publishPorts(
  ctx: LockedNetworks,
  to: Membership,
  { after, others, ports: requests }: Change,
): Promise<Attachment> {
  if (requests.length === 0) return after;
  const sockets = openPortSockets();
  try {
    const ports = await portsFor(ctx, { requests, others, tryPort: sockets.tryPort });
    const made = await addPorts(ctx, { ...after, ports }, to);
    return await holdPorts(ctx, made, sockets);
  } finally {
    sockets.close();
  }
}

/** The new rules come first, so that the ports always answer. */
async function movePorts(
  ctx: LockedNetworks,
  attachment: Attachment,
  { from, to }: { readonly from: Membership | undefined; readonly to: Membership },
): Promise<Attachment> {
  const made = await addPorts(ctx, attachment, to);
  const plugin = from?.plugins.find(isPortmap);
  if (!from || !plugin) return made;
  await deletePlugin(ctx, made, { membership: from, plugin });
  return withMembership(made, { ...from, plugins: from.plugins.filter((one) => !isPortmap(one)) });
}

async function addPorts(ctx: LockedNetworks, attachment: Attachment, to: Membership): Promise<Attachment> {
  const plugin = portmapFor(to, attachment.ports);
  await addPlugin(ctx, attachment, { membership: to, plugin: withResult(plugin, to.result) });
  return withMembership(attachment, { ...to, plugins: [...to.plugins, plugin] });
}

const portmapFor = ({ network }: Membership, ports: readonly PublishedPort[]) => portmapOf({ name: network }, ports);
const isPortmap = ({ type }: { readonly type: string }): boolean => type === 'portmap';

const withMembership = (attachment: Attachment, membership: Membership): Attachment => ({
  ...attachment,
  memberships: attachment.memberships.map((one) => (one.network === membership.network ? membership : one)),
});
