import { HealthctlError, messageOf } from '../lib/errors.ts';
import { readBootId, readStat } from '../system/proc.ts';
import {
  type Attached,
  type Attachment,
  forgetAttachment,
  isHeld,
  listAttachments,
  type Membership,
  readAttachment,
  writeAttachment,
} from './attachment.ts';
import { addSecondName, deleteLeftLink, hasLink } from './bridge-link.ts';
import { ensureRules } from './firewall.ts';
import { gateway6Of, gatewayOf } from './gateway.ts';
import { interfaceNamesFor } from './interface-options.ts';
import { addMembership, deleteMembership, type NetworkRequest, planMembership, withPorts } from './membership.ts';
import { routeThrough6 } from './move-gateway.ts';
import { type LockedNetworks, type NetworkContext, withNetworkLock } from './network-context.ts';
import { listNetworks, type NetworkRecord, needNetwork } from './network-record.ts';
import { findPlugins, needTool } from './plugins.ts';
import { holdPorts, holdPortsAgain, isHolding, releasePorts } from './port-holder.ts';
import { openPortSockets, type PortSockets } from './port-sockets.ts';
import type { PortRequest } from './port-spec.ts';
import { portsFor } from './ports-for.ts';
import { renewHosts } from './renew-hosts.ts';

/** How to attach a run of a container. */
export interface AttachRequest extends Attached {
  /** Pid of its main process, which waits for its start. */
  readonly pid: number;
  /** At least one, in the order of their interfaces: `eth0`, `eth1` … */
  readonly networks: readonly NetworkRequest[];
  readonly ports: readonly PortRequest[];
  readonly name: string;
  readonly hostname: string;
  /** Empty: none. */
  readonly domainname: string;
  readonly hostsPath: string;
  /** `name:address`; the address may be `host-gateway`. */
  readonly extraHosts: readonly string[];
  /** See Attachment. */
  readonly nameServers: readonly string[] | undefined;
}

/** Throws NOT_FOUND, with what to install, if this host lacks what bridge networks need. */
export function checkNetworking({ settings }: Pick<NetworkContext, 'settings'>): void {
  findPlugins(settings.cniBinDir);
  needTool('iptables', 'iptables');
}

/**
 * Attaches a container that was created but not started. A failure leaves nothing.
 *
 * @throws CONFLICT with Docker's text for a port in use; NOT_FOUND without the network or the plugins; RUNTIME if a
 *   plugin fails
 */
export async function attachContainer(ctx: LockedNetworks, request: AttachRequest): Promise<Attachment> {
  const attachments = await sweepLocked(ctx);
  const mine = attachments.find((other) => isSame(other, request));
  if (mine) await detachLocked(ctx, mine);
  const others = attachments.filter((other) => other !== mine);
  const sockets = openPortSockets();
  try {
    return await attachLocked(ctx, { request, others, sockets });
  } finally {
    sockets.close();
  }
}

async function attachLocked(
  ctx: LockedNetworks,
  from: {
    readonly request: AttachRequest;
    readonly others: readonly Attachment[];
    readonly sockets: PortSockets;
  },
): Promise<Attachment> {
  const { request, others, sockets } = from;
  const networks = request.networks.map(({ network }) => needNetwork(ctx, network));
  let made = await planAttachment(ctx, { request, networks, others, sockets });
  writeAttachment(ctx, made);
  try {
    const newBridges = networks.filter(({ bridge }) => !hasLink(bridge));
    [made] = await allDone([addAll(ctx, made), ensureRules(ctx, listNetworks(ctx))]);
    for (const network of newBridges) await addSecondName(ctx, network);
    // Only now: a socket that listens before the rules are set would accept the first connections.
    made = await holdPorts(ctx, made, sockets);
    writeAttachment(ctx, made);
    renewHosts(ctx, others, { networks: networks.map(({ name }) => name), changed: made });
    return made;
  } catch (error) {
    await detachLocked(ctx, made).catch((failure: unknown) => {
      ctx.log.warn(`the network of container ${request.id} could not be taken down: ${messageOf(failure)}`);
    });
    throw error;
  }
}

/** One after the other, so that the kernel numbers the interfaces in their order. */
async function addAll(ctx: LockedNetworks, attachment: Attachment): Promise<Attachment> {
  const memberships: Membership[] = [];
  for (const planned of attachment.memberships) memberships.push(await addMembership(ctx, attachment, planned));
  const [gateway, gateway6] = [gatewayOf(memberships), gateway6Of(memberships)];
  // The plugin of that network has set no route, because another has that of IPv4.
  if (gateway6 && gateway6 !== gateway) routeThrough6(attachment, gateway6);
  return { ...attachment, memberships };
}

/**
 * Detaches a container that has ended: does nothing if it has no attachment, runs again, or was detached by another
 * process.
 *
 * @returns what it had; undefined if nothing was done
 */
export async function detachContainer(networks: NetworkContext, subject: Attached): Promise<Attachment | undefined> {
  return withNetworkLock(networks, async (ctx) => {
    const attachment = readAttachment(ctx, subject);
    if (!attachment || isHeld(attachment)) return undefined;
    await detachLocked(ctx, attachment);
    renewHosts(ctx, listAttachments(ctx), { networks: networksIn([attachment]) });
    return attachment;
  });
}

/**
 * Detaches containers that are gone: after a crash, a reboot, or an end without a monitor. Holds the ports of running
 * containers again if they are not held.
 */
export async function sweepAttachments(networks: NetworkContext): Promise<void> {
  const bootId = readBootId();
  const isWhole = (one: Attachment) => one.memberships.every(({ endpoint }) => endpoint !== undefined);
  if (listAttachments(networks).every((one) => isHeld(one, bootId) && isWhole(one) && isHolding(one))) return;
  await withNetworkLock(networks, async (ctx) => {
    for (const attachment of await sweepLocked(ctx)) {
      if (!isHolding(attachment)) writeAttachment(ctx, await holdPortsAgain(ctx, attachment));
    }
  });
}

/** Like `sweepAttachments`, with the lock held. @returns the attachments of running containers */
export async function sweepLocked(ctx: LockedNetworks): Promise<readonly Attachment[]> {
  const bootId = readBootId();
  const all = listAttachments(ctx);
  const stale = all.filter((attachment) => !isHeld(attachment, bootId));
  const held: Attachment[] = [];
  for (const attachment of all) if (!stale.includes(attachment)) held.push(...(await completeLocked(ctx, attachment)));
  for (const attachment of stale) {
    try {
      await detachLocked(ctx, attachment);
    } catch (error) {
      ctx.log.warn(`the network of container ${attachment.id} could not be taken down: ${messageOf(error)}`);
    }
  }
  if (stale.length > 0) renewHosts(ctx, held, { networks: networksIn(stale) });
  return held;
}

/** Undoes what a killed process left half done: whoever works on an attachment holds the lock. */
async function completeLocked(ctx: LockedNetworks, attachment: Attachment): Promise<readonly Attachment[]> {
  const begun = attachment.memberships.filter(({ endpoint }) => endpoint === undefined);
  if (begun.length === 0) return [attachment];
  try {
    for (const membership of begun) await deleteMembership(ctx, attachment, membership);
  } catch (error) {
    ctx.log.warn(`a network of container ${attachment.id} could not be taken down: ${messageOf(error)}`);
    return [attachment];
  }
  const rest = { ...attachment, memberships: attachment.memberships.filter((one) => !begun.includes(one)) };
  if (rest.memberships.length === 0) {
    forgetAttachment(ctx, attachment);
    return [];
  }
  writeAttachment(ctx, rest);
  return [rest];
}

const networksIn = (attachments: readonly Attachment[]): readonly string[] => [
  ...new Set(attachments.flatMap(({ memberships }) => memberships.map(({ network }) => network))),
];

/** Waits for both, so that nothing continues after one has failed. */
async function allDone<A, B>(works: readonly [Promise<A>, Promise<B>]): Promise<readonly [A, B]> {
  const [a, b] = await Promise.allSettled(works);
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return [a.value, b.value];
}

/** In reverse order. Everything is called even if something fails; the record is removed only if nothing has. */
async function detachLocked(ctx: LockedNetworks, attachment: Attachment): Promise<void> {
  await releasePorts(ctx, attachment);
  let failure: unknown;
  for (const membership of attachment.memberships.toReversed()) {
    try {
      await deleteMembership(ctx, attachment, membership);
      if (!isHeld(attachment)) await deleteLeftLink(ctx, membership);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  forgetAttachment(ctx, attachment);
}

const isSame = (a: Attached, b: Attached): boolean => a.namespace === b.namespace && a.id === b.id;

/** The attachment as it is recorded before the plugins are called. */
async function planAttachment(
  ctx: LockedNetworks,
  from: {
    readonly request: AttachRequest;
    readonly networks: readonly NetworkRecord[];
    readonly others: readonly Attachment[];
    readonly sockets: PortSockets;
  },
): Promise<Attachment> {
  const { request, networks, others, sockets } = from;
  const pairs = request.networks.flatMap((asked, index) => {
    const network = networks[index];
    return network ? [{ asked, network }] : [];
  });
  const candidates = pairs.map(({ asked, network }) => ({
    gatewayPriority: asked.gatewayPriority,
    network: network.name,
    internal: network.internal,
    hasIpv6: network.ipv6 !== undefined && !asked.isWithoutIpv6,
  }));
  const gateway = gatewayOf(candidates)?.network;
  const requests = gateway === undefined ? [] : request.ports;
  const ports = await portsFor(ctx, { requests, others, tryPort: sockets.tryPort });
  const names = interfaceNamesFor(pairs.map(({ asked }) => asked.interface));
  const memberships = pairs.map(({ asked, network }, index) => {
    const hasDefaultRoute = network.name === gateway;
    const interfaceName = names[index] ?? '';
    const parts = { owner: request, request: asked, network, others, interfaceName, hasDefaultRoute };
    return withPorts(planMembership(ctx, parts), hasDefaultRoute ? ports : []);
  });
  const via = networks.find(({ name }) => name === gateway) ?? networks[0];
  return { ...unattached(request, via?.gateway ?? ''), memberships, ports };
}

/**
 * A container without networks.
 *
 * @param gateway the address for `host-gateway`
 * @throws CONFLICT if its process has ended
 */
export function unattached(request: Omit<AttachRequest, 'networks' | 'ports'>, gateway: string): Attachment {
  const { namespace, id, pid, name, hostname, domainname, hostsPath, nameServers } = request;
  const { startTimeTicks } = readStat(pid) ?? {};
  if (startTimeTicks === undefined) throw new HealthctlError('CONFLICT', `container ${id.slice(0, 12)} has ended`);
  return {
    ...{ namespace, id, name, hostname, hostsPath, ports: [], memberships: [] },
    ...(domainname === '' ? {} : { domainname }),
    ...(nameServers === undefined ? {} : { nameServers }),
    holder: { bootId: readBootId(), pid, startTimeTicks },
    extraHosts: request.extraHosts.map((entry) => entry.replace(/:host-gateway$/, `:${gateway}`)),
  };
}
