import { publishNetwork } from '../../events/network-event.ts';
import type { Publisher } from '../../events/own-events.ts';
import { dataDirOf } from '../../lib/dirs.ts';
import { HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import { LABELS } from '../../lib/labels.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { objectIn } from '../../lib/shape.ts';
import type { AttachRequest } from '../../network/attach.ts';
import { type Attachment, type InterfaceAddress, type Membership, readAttachment } from '../../network/attachment.ts';
import { interfaceOptionsOf } from '../../network/interface-options.ts';
import type { NetworkRequest } from '../../network/membership.ts';
import { type LockedNetworks, type NetworkContext, withNetworkLock } from '../../network/network-context.ts';
import { portsText } from '../../network/port-document.ts';
import { canonicalAddress6 } from '../../network/subnet6.ts';
import { type EndpointConfig, endpointsOf } from '../../record/endpoint-config.ts';
import { nameServersOf } from '../../record/name-server.ts';
import { nameOptionsOf, networkConfigOf } from '../../record/network-config.ts';
import { domainnameOf, type StoredConfig, storedConfigOf } from '../../record/stored-config.ts';
import type { ContainerView } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { releaseNerdctlNetwork } from '../nerdctl/network.ts';
import { notePorts } from '../nerdctl/store.ts';
import { lastAddressOf, noteAddresses } from './last-address.ts';

export const publisherOf = ({ containerd, log }: ContainerContext): Publisher => ({ events: containerd.events, log });

export function networkContextOf({ dirs, clock, log, network }: ContainerContext): NetworkContext {
  return { dirs, clock, log, settings: network };
}

/**
 * Attaches a container of ours, whose process waits for its start, to its networks.
 *
 * @returns the labels with its ports; none if it needs no network
 * @throws errors of attachContainer of network/attach.ts, in Docker's words
 */
export async function attachNetwork(
  ctx: ContainerContext,
  view: Pick<ContainerView, 'record' | 'name'>,
  pid: number,
): Promise<Readonly<Record<string, string>>> {
  try {
    return await attachAll(ctx, view, pid);
  } catch (error) {
    throw networkFailure(error, view);
  }
}

/** How Docker's text begins. */
export const NETWORK_FAILURE = 'failed to set up container networking: ';
/** Docker's exit status of `run` if the container's network cannot be set up. */
const CANNOT_START = 125;

/** Docker's texts (moby: daemon/container_operations.go, libnetwork). Its status for a port in use is 500. */
function networkFailure(error: unknown, { record, name }: Pick<ContainerView, 'record' | 'name'>): unknown {
  if (!(error instanceof HealthctlError)) return error;
  const { code, message, hint } = error;
  const isPort = code === 'CONFLICT' && /\bport\b|address already in use/.test(message);
  const endpoint = `endpoint ${name} (${sha256Hex(record.id)})`;
  const reason = isPort ? `driver failed programming external connectivity on ${endpoint}: ${message}` : message;
  return new HealthctlError(isPort ? 'RUNTIME' : code, `${NETWORK_FAILURE}${reason}`, {
    ...{ cause: error, exitCode: CANNOT_START },
    ...(hint === undefined ? {} : { hint }),
  });
}

async function attachAll(
  ctx: ContainerContext,
  { record, name }: Pick<ContainerView, 'record' | 'name'>,
  pid: number,
): Promise<Readonly<Record<string, string>>> {
  const stored = storedConfigOf(record);
  if (!stored || endpointsOf(stored).length === 0) return {};
  const attached = await withNetworkLock(networkContextOf(ctx), async (locked) =>
    // A connect or a disconnect may have changed its networks since it was read.
    attachRecord(locked, ctx, { record: await ctx.containerd.containers.get(record.id), name, pid }),
  );
  if (!attached) return {};
  await publishEach(ctx, 'connect', attached);
  await notePorts(ctx, record.id, attached.ports);
  return changed(record.labels, portLabels(networkConfigOf(stored).exposed, attached));
}

/** Undefined for a container on no network. */
async function attachRecord(
  locked: LockedNetworks,
  ctx: ContainerContext,
  subject: Pick<ContainerView, 'record' | 'name'> & { readonly pid: number },
): Promise<Attachment | undefined> {
  const { record } = subject;
  const stored = storedConfigOf(record);
  const endpoints = stored ? endpointsOf(stored) : [];
  if (!stored || endpoints.length === 0) return undefined;
  const { attachContainer } = await import('../../network/attach.ts');
  const { ports } = networkConfigOf(stored);
  const dataDir = dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: record.id });
  const attach = (lasts: readonly (InterfaceAddress | undefined)[]) =>
    attachContainer(locked, {
      ...{ ...attachSubjectOf(ctx, subject), ports },
      networks: endpoints.map((endpoint, index) => networkRequestOf(endpoint, { wanted: lasts[index], stored })),
    });
  const lasts = endpoints.map(({ network }) => lastAddressOf(dataDir, network, ctx.dirs));
  // A plugin may know of another use of a last address.
  const attached = await attach(lasts).catch((error: unknown) => {
    if (!lasts.some((last) => last !== undefined) || !hasCode(error, 'RUNTIME')) throw error;
    return attach([]);
  });
  noteAddresses(dataDir, attached.memberships);
  return attached;
}

async function publishEach(
  ctx: ContainerContext,
  action: 'connect' | 'disconnect',
  { id, memberships }: Pick<Attachment, 'id' | 'memberships'>,
): Promise<void> {
  const publish = ({ network: name, networkId }: Membership) =>
    publishNetwork(publisherOf(ctx), action, { network: { id: networkId, name, driver: 'bridge' }, container: id });
  await Promise.all(memberships.map(publish));
}

/** What an attachment tells of its container. */
export function attachSubjectOf(
  ctx: ContainerContext,
  { record, name, pid }: Pick<ContainerView, 'record' | 'name'> & { readonly pid: number },
): Omit<AttachRequest, 'networks' | 'ports'> {
  const { id, labels } = record;
  const { namespace } = ctx.containerd;
  const stored = storedConfigOf(record);
  return {
    ...{ namespace, id, pid, name },
    hostname: labels[LABELS.hostname] ?? id.slice(0, 12),
    domainname: stored ? domainnameOf(stored) : '',
    hostsPath: `${dataDirOf(ctx.dirs, { namespace, id })}/hosts`,
    extraHosts: stored ? nameOptionsOf(stored).extraHosts : [],
    nameServers: stored ? nameServersOf(stored) : undefined,
  };
}

export function networkRequestOf(
  endpoint: EndpointConfig,
  { wanted, stored }: { readonly wanted: InterfaceAddress | undefined; readonly stored: StoredConfig },
): NetworkRequest {
  const { network, aliases, links, ipv4Address, ipv6Address, mac, gatewayPriority, driverOpts } = endpoint;
  return {
    ...{ network, aliases, links, gatewayPriority, wanted },
    interface: interfaceOptionsOf(driverOpts),
    isWithoutIpv6: objectIn(stored.HostConfig.Sysctls)[DISABLE_IPV6] === '1',
    asked: {
      ...(ipv4Address === undefined ? {} : { address: ipv4Address }),
      ...(ipv6Address === undefined ? {} : { address6: canonicalAddress6(ipv6Address) }),
      ...(mac === undefined ? {} : { mac }),
    },
  };
}

/** The plugin would turn it on again. */
const DISABLE_IPV6 = 'net.ipv6.conf.all.disable_ipv6';

/** An empty label is removed. */
export function portLabels(
  exposed: readonly string[],
  { ports }: Pick<Attachment, 'ports'>,
): Readonly<Record<string, string>> {
  const shown = portsText(exposed, ports);
  // nerdctl still reads the label, with a warning at each command: it is removed from containers that an earlier
  // version started.
  return { [LABELS.ports]: shown, [LABELS.nerdctlPorts]: '' };
}

const changed = (before: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(labels).filter(([key, value]) => (before[key] ?? '') !== value));

/**
 * Detaches a container that has ended from its network; each process that notices its end calls it. Failures are
 * logged; the next sweep retries.
 */
export async function detachNetwork(ctx: ContainerContext, id: string): Promise<void> {
  const subject = { namespace: ctx.containerd.namespace, id };
  if (!readAttachment(ctx, subject)) return releaseNerdctlNetwork(ctx, id);
  const { detachContainer } = await import('../../network/attach.ts');
  try {
    const detached = await detachContainer(networkContextOf(ctx), subject);
    await notePorts(ctx, id, []);
    if (detached) await publishEach(ctx, 'disconnect', detached);
  } catch (error) {
    ctx.log.warn(`the network of container ${id.slice(0, 12)} could not be taken down: ${messageOf(error)}`);
  }
}
