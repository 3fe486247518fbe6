import type { ContainerRecord } from '../../containerd/containers.ts';
import { publishNetwork } from '../../events/network-event.ts';
import { dataDirOf } from '../../lib/dirs.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import { LABELS } from '../../lib/labels.ts';
import { sweepAttachments, sweepLocked, unattached } from '../../network/attach.ts';
import type { Attachment } from '../../network/attachment.ts';
import { connectLocked, disconnectLocked } from '../../network/connect.ts';
import { type KnownNetwork, resolveNetwork } from '../../network/known-networks.ts';
import { type LockedNetworks, withNetworkLock } from '../../network/network-context.ts';
import { findNetwork, needNetwork } from '../../network/network-record.ts';
import { type EndpointConfig, endpointRecordOf, endpointsOf } from '../../record/endpoint-config.ts';
import { networkConfigOf } from '../../record/network-config.ts';
import { networkModeOf } from '../../record/network-mode.ts';
import { networksOf } from '../../record/networks.ts';
import { type StoredConfig, storedConfigOf } from '../../record/stored-config.ts';
import { type ContainerView, refuseUnknown } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { notePorts } from '../nerdctl/store.ts';
import { resolveContainer, viewRecord } from '../resolve.ts';
import { attachSubjectOf, networkContextOf, networkRequestOf, portLabels, publisherOf } from './attach.ts';
import { refuseConnection } from './connect-rules.ts';
import { endpointProblem } from './endpoint-problem.ts';
import { lastAddressOf, noteAddresses } from './last-address.ts';

/** A container of ours whose networks are being changed; nothing else changes them meanwhile. */
interface Subject {
  readonly view: ContainerView;
  readonly stored: StoredConfig;
  /** The names of its networks. */
  readonly names: readonly string[];
  /** Pid of its main process while it runs, and of one that has its networks and waits for its start. */
  readonly pid: number | undefined;
  readonly attachment: Attachment | undefined;
  /** Attachments of other containers. */
  readonly others: readonly Attachment[];
}

export interface ConnectRequest {
  /** Its name or id. */
  readonly container: string;
  /** What it asks for there; `network` is a name or an id. */
  readonly asked: EndpointConfig;
  /** A container that does not run may be connected to a missing network, as in Docker's API. Default: no. */
  readonly mayLackNetwork?: boolean;
}

/**
 * Connects a container to a further network: a running one at once, another one at its next start. A running one gets
 * an interface, names and, by Docker's rule, the default route and the ports.
 *
 * @throws NOT_FOUND; CONFLICT with Docker's text if a running one is connected already; INVALID and DENIED with Docker's
 *   texts
 */
export async function connectContainer(
  ctx: ContainerContext,
  { container, asked, mayLackNetwork = false }: ConnectRequest,
): Promise<void> {
  const record = await resolveContainer(ctx.containerd, container);
  const networks = networkContextOf(ctx);
  const network = await withNetworkLock(networks, async (locked) => {
    const subject = await openSubject(ctx, locked, record);
    const isUp = subject.pid !== undefined;
    const known = networkIfKnown(locked, { nameOrId: asked.network, isNeeded: isUp || !mayLackNetwork });
    const name = known?.name ?? asked.network;
    const endpoint = { ...asked, network: name };
    refuseEndpoint(locked, endpoint);
    refuseConnection({ mode: subject.stored.HostConfig.NetworkMode, names: subject.names, network: name });
    // Docker ignores it for a container that does not run.
    if (!isUp && subject.names.includes(name)) return undefined;
    const attachment = isUp ? await connectRunning(ctx, locked, { ...subject, endpoint }) : undefined;
    await writeNetworks(ctx, subject, {
      endpoints: [...endpointsOf(subject.stored), endpoint],
      names: [...subject.names, name],
      attachment,
    });
    return isUp ? known : undefined;
  });
  if (network) await publishNetwork(publisherOf(ctx), 'connect', { network, container: record.id });
}

function refuseEndpoint(locked: LockedNetworks, endpoint: EndpointConfig): void {
  const problem = endpointProblem(findNetwork(locked, endpoint.network), endpoint);
  if (problem !== undefined) throw new HealthctlError('INVALID', problem);
}

async function connectRunning(
  ctx: ContainerContext,
  locked: LockedNetworks,
  subject: Subject & { readonly endpoint: EndpointConfig },
): Promise<Attachment> {
  const { view, stored, pid = 0, endpoint, others } = subject;
  const dataDir = dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: view.record.id });
  const { gateway } = needNetwork(locked, endpoint.network);
  const attachment = subject.attachment ?? unattached(attachSubjectOf(ctx, { ...view, pid }), gateway);
  const { ports } = networkConfigOf(stored);
  const connect = (last: ReturnType<typeof lastAddressOf>) =>
    connectLocked(locked, attachment, { request: networkRequestOf(endpoint, { wanted: last, stored }), ports, others });
  const last = lastAddressOf(dataDir, endpoint.network, ctx.dirs);
  return connect(last).catch((error: unknown) => {
    if (last === undefined || !hasCode(error, 'RUNTIME')) throw error;
    return connect(undefined);
  });
}

/**
 * Disconnects a container from a network: a running one at once.
 *
 * @throws NOT_FOUND; CONFLICT with Docker's text if it is not connected; INVALID for the host's network
 */
export async function disconnectContainer(
  ctx: ContainerContext,
  {
    container,
    network: nameOrId,
    force,
  }: { readonly container: string; readonly network: string; readonly force: boolean },
): Promise<void> {
  const record = await resolveContainer(ctx.containerd, container).catch(async (error: unknown) => {
    // What is left of a container that is gone goes with the sweep.
    if (force && hasCode(error, 'NOT_FOUND')) await sweepAttachments(networkContextOf(ctx));
    throw error;
  });
  const network = await withNetworkLock(networkContextOf(ctx), async (locked) => {
    const subject = await openSubject(ctx, locked, record);
    const { names, attachment, stored, others, pid } = subject;
    // A container that does not run may have a network that has been removed since.
    const isNeeded = pid !== undefined || !names.includes(nameOrId);
    const known = networkIfKnown(locked, { nameOrId, isNeeded });
    const name = known?.name ?? nameOrId;
    const isAttached = attachment?.memberships.some((one) => one.network === name) === true;
    if (!isAttached && !names.includes(name)) {
      const text = pid === undefined ? `the network ${name}` : `network ${name}`;
      throw new HealthctlError('CONFLICT', `container ${record.id} is not connected to ${text}`);
    }
    if (name === 'host')
      throw new HealthctlError(
        'INVALID',
        'cannot disconnect container from host network - container was created in host network mode',
      );
    const { ports } = networkConfigOf(stored);
    const rest = isAttached ? await disconnectLocked(locked, attachment, { network: name, ports, others }) : attachment;
    await writeNetworks(ctx, subject, {
      endpoints: endpointsOf(stored).filter((one) => one.network !== name),
      names: names.filter((one) => one !== name),
      attachment: rest,
    });
    return isAttached ? known : undefined;
  });
  if (network) await publishNetwork(publisherOf(ctx), 'disconnect', { network, container: record.id });
}

/** Undefined for a missing network. Throws NOT_FOUND if it is needed. */
function networkIfKnown(
  locked: LockedNetworks,
  { nameOrId, isNeeded }: { readonly nameOrId: string; readonly isNeeded: boolean },
): KnownNetwork | undefined {
  try {
    return resolveNetwork(locked, nameOrId);
  } catch (error) {
    if (isNeeded || !hasCode(error, 'NOT_FOUND')) throw error;
    return undefined;
  }
}

/** Reads the container again: it may have changed while we waited for the lock. */
async function openSubject(
  ctx: ContainerContext,
  locked: LockedNetworks,
  { id }: Pick<ContainerRecord, 'id'>,
): Promise<Subject> {
  const view = await viewRecord(ctx, await ctx.containerd.containers.get(id));
  const stored = storedConfigOf(view.record);
  if (!stored)
    throw new HealthctlError('CONFLICT', `container ${view.name} was made by another tool, whose networks are its own`);
  refuseUnknown(view);
  const { namespace } = ctx.containerd;
  const isMine = (one: Attachment) => one.namespace === namespace && one.id === id;
  const attachments = await sweepLocked(locked);
  const isUp = view.state === 'running' || view.state === 'paused';
  const mine = attachments.find(isMine);
  return {
    ...{ view, stored, names: networksOf(view.record) },
    pid: isUp ? view.task?.pid : mine?.holder.pid,
    attachment: mine,
    others: attachments.filter((one) => !isMine(one)),
  };
}

/** Records the networks for inspect and the next start. The ports may have moved, or gone. */
async function writeNetworks(
  ctx: ContainerContext,
  { view, stored, pid }: Subject,
  change: {
    readonly endpoints: readonly EndpointConfig[];
    readonly names: readonly string[];
    readonly attachment: Attachment | undefined;
  },
): Promise<void> {
  const { endpoints, names, attachment } = change;
  const { id } = view.record;
  const own = endpoints.filter(({ network }) => networkModeOf(network).kind === 'network');
  const { exposed } = networkConfigOf(stored);
  await ctx.containerd.containers.setConfig(id, {
    config: encodeJson({ ...stored, Endpoints: own.map(endpointRecordOf) }),
    labels: {
      [LABELS.networks]: JSON.stringify(names),
      ...(pid === undefined ? {} : portLabels(exposed, attachment ?? { ports: [] })),
    },
  });
  if (pid === undefined) return;
  await notePorts(ctx, id, attachment?.ports ?? []);
  if (attachment)
    noteAddresses(dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id }), attachment.memberships);
}
