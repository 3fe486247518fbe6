import { HealthctlError, messageOf } from '../lib/errors.ts';
import { readBootId, readStat } from '../system/proc.ts';
import {
  type Attached,
  type Attachment,
  type Endpoint,
  forgetAttachment,
  type Holder,
  type InterfaceAddress,
  isHeld,
  listAttachments,
  readAttachment,
  writeAttachment,
} from './attachment.ts';
import { configOf, portmapOf } from './bridge-config.ts';
import { addSecondName, hasLink } from './bridge-link.ts';
import { endpointFrom } from './cni-result.ts';
import { ensureRules, readForwardedPorts } from './firewall.ts';
import { allocatePorts, type TryPort } from './free-port.ts';
import { type HostEntry, updateHostsFile } from './hosts-file.ts';
import { type LockedNetworks, type NetworkContext, networkPathsOf, withNetworkLock } from './network-context.ts';
import { DEFAULT_NETWORK, listNetworks, type NetworkRecord, needNetwork } from './network-record.ts';
import { callPlugin, findPlugins, needTool, type PluginConfig } from './plugins.ts';
import { holdPorts, holdPortsAgain, isHolding, releasePorts } from './port-holder.ts';
import { openPortSockets, type PortSockets } from './port-sockets.ts';
import type { PortRequest, PublishedPort } from './port-spec.ts';
import { holdsAddress, parseAddress, parseSubnet } from './subnet.ts';

/** How to attach a run of a container. */
export interface AttachRequest extends Attached {
  /** Pid of its main process, which waits for its start. */
  readonly pid: number;
  readonly network: string;
  readonly ports: readonly PortRequest[];
  readonly name: string;
  /** Further names for others on a user network. */
  readonly aliases: readonly string[];
  readonly hostname: string;
  /** Empty: none. */
  readonly domainname: string;
  readonly hostsPath: string;
  /** `name:address`; the address may be `host-gateway`. */
  readonly extraHosts: readonly string[];
  /**
   * Its address in an earlier run, to be used again if it is free: programs look a name up once and keep the address.
   */
  readonly wanted: InterfaceAddress | undefined;
}

/** In the container. */
const INTERFACE = 'eth0';

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
export async function attachContainer(networks: NetworkContext, request: AttachRequest): Promise<Attachment> {
  return withNetworkLock(networks, async (ctx) => {
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
  });
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
  const network = needNetwork(ctx, request.network);
  const ports = await portsFor(ctx, { requests: request.ports, others, tryPort: sockets.tryPort });
  const wanted = isFree(request.wanted, network, others) ? request.wanted : undefined;
  const attachment = attachmentFrom(ctx, { request, network, ports, wanted });
  writeAttachment(ctx, attachment);
  let made = attachment;
  try {
    const hadBridge = hasLink(network.bridge);
    [made] = await allDone([addAll(ctx, attachment), ensureRules(ctx, listNetworks(ctx))]);
    if (!hadBridge) await addSecondName(ctx, network);
    // Only now: a socket that listens before the rules are set would accept the first connections.
    made = await holdPorts(ctx, made, sockets);
    writeAttachment(ctx, made);
    renewHosts(ctx, [...others, made], { network: made.network, started: made });
    return made;
  } catch (error) {
    await detachLocked(ctx, made).catch((failure: unknown) => {
      ctx.log.warn(`the network of container ${attachment.id} could not be taken down: ${messageOf(failure)}`);
    });
    throw error;
  }
}

/**
 * Detaches a container that has ended: does nothing if it has no attachment, runs again, or was detached by another
 * process.
 */
export async function detachContainer(networks: NetworkContext, subject: Attached): Promise<void> {
  await withNetworkLock(networks, async (ctx) => {
    const attachment = readAttachment(ctx, subject);
    if (!attachment || isHeld(attachment)) return;
    await detachLocked(ctx, attachment);
    renewHosts(ctx, listAttachments(ctx), attachment);
  });
}

/**
 * Detaches containers that are gone: after a crash, a reboot, or an end without a monitor. Holds the ports of running
 * containers again if they are not held.
 */
export async function sweepAttachments(networks: NetworkContext): Promise<void> {
  const bootId = readBootId();
  if (listAttachments(networks).every((attachment) => isHeld(attachment, bootId) && isHolding(attachment))) return;
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
  const held = all.filter((attachment) => isHeld(attachment, bootId));
  const stale = all.filter((attachment) => !held.includes(attachment));
  for (const attachment of stale) {
    try {
      await detachLocked(ctx, attachment);
    } catch (error) {
      ctx.log.warn(`the network of container ${attachment.id} could not be taken down: ${messageOf(error)}`);
    }
  }
  for (const network of new Set(stale.map((attachment) => attachment.network))) renewHosts(ctx, held, { network });
  return held;
}

/** Whether the address is in the network and no container has it. Other leases are known only to the plugin. */
function isFree(wanted: InterfaceAddress | undefined, network: NetworkRecord, others: readonly Attachment[]): boolean {
  const { address } = wanted ?? {};
  const number = address === undefined ? undefined : parseAddress(address);
  const range = parseSubnet(network.ipRange ?? network.subnet);
  if (number === undefined || !range || !holdsAddress(range, number) || address === network.gateway) return false;
  return others.every(({ endpoint }) => endpoint?.address !== address);
}

async function portsFor(
  ctx: LockedNetworks,
  request: {
    readonly requests: readonly PortRequest[];
    readonly others: readonly Attachment[];
    readonly tryPort: TryPort;
  },
): Promise<readonly PublishedPort[]> {
  const { requests, others, tryPort } = request;
  if (requests.length === 0) return [];
  const held = [...others.flatMap(({ ports }) => ports), ...(await readForwardedPorts(ctx))];
  return allocatePorts(requests, held, tryPort);
}

/** Waits for both, so that nothing continues after one has failed. */
async function allDone<A, B>(works: readonly [Promise<A>, Promise<B>]): Promise<readonly [A, B]> {
  const [a, b] = await Promise.allSettled(works);
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return [a.value, b.value];
}

async function addAll(ctx: LockedNetworks, attachment: Attachment): Promise<Attachment> {
  const { id, holder } = attachment;
  const pluginDir = findPlugins(ctx.settings.cniBinDir);
  const call = {
    command: 'ADD',
    pluginDir,
    containerId: id,
    netns: netnsOf(holder),
    interfaceName: INTERFACE,
  } as const;
  let result: unknown;
  for (const plugin of attachment.plugins)
    result = await callPlugin(ctx, { ...call, config: withResult(plugin, result) });
  const endpoint: Endpoint | undefined = endpointFrom(result, INTERFACE);
  if (!endpoint) throw new HealthctlError('RUNTIME', `the plugins of network ${attachment.network} gave no address`);
  return { ...attachment, endpoint, result };
}

/** In reverse order. All plugins are called even if one fails; the record is removed only if none has. */
async function detachLocked(ctx: LockedNetworks, attachment: Attachment): Promise<void> {
  const { id, holder, plugins, result } = attachment;
  await releasePorts(ctx, attachment);
  const pluginDir = findPlugins(ctx.settings.cniBinDir);
  const netns = isHeld(attachment) ? netnsOf(holder) : '';
  const call = { command: 'DEL', pluginDir, containerId: id, netns, interfaceName: INTERFACE } as const;
  let failure: unknown;
  for (const plugin of plugins.toReversed()) {
    try {
      await callPlugin(ctx, { ...call, config: withResult(plugin, result) });
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  forgetAttachment(ctx, attachment);
}

const withResult = (plugin: PluginConfig, result: unknown): PluginConfig =>
  result === undefined ? plugin : { ...plugin, prevResult: result };

const netnsOf = ({ pid }: Holder): string => `/proc/${pid}/ns/net`;

const isSame = (a: Attached, b: Attached): boolean => a.namespace === b.namespace && a.id === b.id;

function attachmentFrom(
  ctx: NetworkContext,
  from: {
    readonly request: AttachRequest;
    readonly network: NetworkRecord;
    readonly ports: readonly PublishedPort[];
    readonly wanted: InterfaceAddress | undefined;
  },
): Attachment {
  const { request, network, ports, wanted } = from;
  const { namespace, id, pid, name, aliases, hostname, domainname, hostsPath } = request;
  const { startTimeTicks } = readStat(pid) ?? {};
  if (startTimeTicks === undefined) throw new HealthctlError('CONFLICT', `container ${id.slice(0, 12)} has ended`);
  return {
    ...{ namespace, id, name, ports, hostname, hostsPath },
    ...(domainname === '' ? {} : { domainname }),
    holder: { bootId: readBootId(), pid, startTimeTicks },
    network: network.name,
    networkId: network.id,
    plugins: [
      configOf(network, networkPathsOf(ctx.dirs).leases, wanted),
      ...(ports.length > 0 ? [portmapOf(network, ports)] : []),
    ],
    names: network.name === DEFAULT_NETWORK ? [] : [...new Set([name, ...aliases, id.slice(0, 12)])],
    extraHosts: request.extraHosts.map((entry) => entry.replace(/:host-gateway$/, `:${network.gateway}`)),
  };
}

/**
 * Updates the hosts files of a network's members: each contains itself, its options, and on a user network the others.
 */
function renewHosts(
  ctx: NetworkContext,
  attachments: readonly Attachment[],
  { network, started }: { readonly network: string; readonly started?: Attachment },
): void {
  const members = attachments.filter((one) => one.network === network && one.endpoint !== undefined);
  for (const member of members) {
    // On the default network a member knows no others: its file does not change after its start.
    if (member.names.length === 0 && member !== started) continue;
    const peers = members.filter((one) => one !== member && one.names.length > 0);
    try {
      if (updateHostsFile(member.hostsPath, [...ownEntries(member), ...peers.flatMap(peerEntry)])) continue;
      ctx.log.warn(`the names of network ${network} could not be written to ${member.hostsPath}`);
    } catch (error) {
      ctx.log.warn(`the names of network ${network} could not be written: ${messageOf(error)}`);
    }
  }
}

function ownEntries({ endpoint, extraHosts, hostname, domainname, names }: Attachment): readonly HostEntry[] {
  const given = extraHosts.map((entry) => {
    const colon = entry.indexOf(':');
    return { address: entry.slice(colon + 1), names: [entry.slice(0, colon)] };
  });
  // The first is the canonical name: what `hostname -f` prints.
  const whole = domainname === undefined ? [] : [`${hostname}.${domainname}`];
  const own = [...new Set([...whole, hostname, ...names])];
  return [...given, ...(endpoint ? [{ address: endpoint.address, names: own }] : [])];
}

function peerEntry({ endpoint, names }: Attachment): readonly HostEntry[] {
  return endpoint ? [{ address: endpoint.address, names }] : [];
}
