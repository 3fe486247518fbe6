import { HealthctlError, messageOf } from '../lib/errors.ts';
import { type Attachment, forgetAttachment, type Membership, membershipOf, writeAttachment } from './attachment.ts';
import { addSecondName, hasLink } from './bridge-link.ts';
import { ensureRules } from './firewall.ts';
import { gateway6Of, gatewayOf } from './gateway.ts';
import { interfaceNamesFor } from './interface-options.ts';
import { addMembership, deleteMembership, type NetworkRequest, planMembership } from './membership.ts';
import { moveGateway, routeThrough, routeThrough6 } from './move-gateway.ts';
import type { LockedNetworks } from './network-context.ts';
import { listNetworks, type NetworkRecord, needNetwork } from './network-record.ts';
import { holdPortsAgain, releasePorts } from './port-holder.ts';
import type { PortRequest } from './port-spec.ts';
import { renewHosts } from './renew-hosts.ts';

/** What changing the networks of a running container needs. */
export interface ConnectContext {
  /** The ports that it should publish. */
  readonly ports: readonly PortRequest[];
  /** Attachments of other containers. */
  readonly others: readonly Attachment[];
}

/**
 * Connects a running container to a further network. A failure leaves nothing.
 *
 * @param attachment without memberships for a container that is on no network: then it is not recorded yet
 * @throws CONFLICT with Docker's text if it is connected already, or for a port in use; NOT_FOUND without the network;
 *   RUNTIME
 */
export async function connectLocked(
  ctx: LockedNetworks,
  attachment: Attachment,
  { request, ports, others }: ConnectContext & { readonly request: NetworkRequest },
): Promise<Attachment> {
  const network = needNetwork(ctx, request.network);
  if (membershipOf(attachment, network.name))
    throw new HealthctlError(
      'CONFLICT',
      `endpoint with name ${attachment.name} already exists in network ${network.name}`,
    );
  const present = attachment.memberships.map((one) => one.interfaceName);
  const [interfaceName = ''] = interfaceNamesFor([request.interface], present);
  if (present.includes(interfaceName))
    throw new HealthctlError('RUNTIME', `error renaming interface to ${JSON.stringify(interfaceName)}: file exists`);
  const planned = planMembership(ctx, {
    ...{ owner: attachment, request, network, others, interfaceName, hasDefaultRoute: false },
  });
  writeAttachment(ctx, withMore(attachment, planned));
  try {
    const after = withMore(attachment, await addInterface(ctx, attachment, { planned, network }));
    const made = await moveGateway(ctx, { before: attachment, after, ports, others });
    writeAttachment(ctx, made);
    renewHosts(ctx, others, { networks: [network.name], changed: made });
    return made;
  } catch (error) {
    await undoConnect(ctx, attachment, planned).catch((failure: unknown) => {
      ctx.log.warn(`network ${network.name} of container ${attachment.id} is still connected: ${messageOf(failure)}`);
    });
    throw error;
  }
}

async function addInterface(
  ctx: LockedNetworks,
  attachment: Attachment,
  { planned, network }: { readonly planned: Membership; readonly network: NetworkRecord },
): Promise<Membership> {
  const hadBridge = hasLink(network.bridge);
  await ensureRules(ctx, listNetworks(ctx));
  const membership = await addMembership(ctx, attachment, planned);
  if (!hadBridge) await addSecondName(ctx, network);
  return membership;
}

async function undoConnect(ctx: LockedNetworks, attachment: Attachment, planned: Membership): Promise<void> {
  await deleteMembership(ctx, attachment, planned);
  if (attachment.memberships.length === 0) return forgetAttachment(ctx, attachment);
  routeThrough(attachment, gatewayOf(attachment.memberships));
  if (planned.hasIpv6) routeThrough6(attachment, gateway6Of(attachment.memberships));
  writeAttachment(ctx, attachment);
}

/**
 * Disconnects a running container from a network. If a plugin fails, the container stays connected.
 *
 * @returns the attachment that is left; undefined without a network
 * @throws CONFLICT with Docker's text if it is not connected; RUNTIME
 */
export async function disconnectLocked(
  ctx: LockedNetworks,
  attachment: Attachment,
  { network, ports, others }: ConnectContext & { readonly network: string },
): Promise<Attachment | undefined> {
  const membership = membershipOf(attachment, network);
  if (!membership)
    throw new HealthctlError('CONFLICT', `container ${attachment.id} is not connected to network ${network}`);
  // The process that holds the ports ends with one of the interfaces.
  await releasePorts(ctx, attachment);
  await deleteMembership(ctx, attachment, membership);
  const { portHolder: _released, ...rest } = attachment;
  const after = { ...rest, memberships: rest.memberships.filter((one) => one !== membership) };
  const moved = await moveGateway(ctx, { before: attachment, after, ports, others });
  const isPublished = moved.ports.length > 0 && moved.portHolder === undefined;
  const made = isPublished ? await holdPortsAgain(ctx, moved) : moved;
  const isLast = made.memberships.length === 0;
  if (isLast) forgetAttachment(ctx, attachment);
  else writeAttachment(ctx, made);
  renewHosts(ctx, others, { networks: [network], changed: made });
  return isLast ? undefined : made;
}

const withMore = (attachment: Attachment, membership: Membership): Attachment => ({
  ...attachment,
  memberships: [...attachment.memberships, membership],
});
