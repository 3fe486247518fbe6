import { dataDirOf } from '../../lib/dirs.ts';
import { hasCode, messageOf } from '../../lib/errors.ts';
import { LABELS } from '../../lib/labels.ts';
import { type Attachment, type InterfaceAddress, readAttachment } from '../../network/attachment.ts';
import type { NetworkContext } from '../../network/network-context.ts';
import { portsText } from '../../network/port-document.ts';
import { networkConfigOf } from '../../record/network-config.ts';
import { networkModeOf } from '../../record/network-mode.ts';
import { domainnameOf, storedConfigOf } from '../../record/stored-config.ts';
import type { ContainerView } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { releaseNerdctlNetwork } from '../nerdctl/network.ts';
import { notePorts } from '../nerdctl/store.ts';
import { lastAddressOf, noteAddress } from './last-address.ts';

export function networkContextOf({ dirs, clock, log, network }: ContainerContext): NetworkContext {
  return { dirs, clock, log, settings: network };
}

/**
 * Attaches a container of ours, whose process waits for its start, to its network.
 *
 * @returns the labels with its ports; none if it needs no network
 * @throws errors of attachContainer of network/attach.ts
 */
export async function attachNetwork(
  ctx: ContainerContext,
  { record, name }: Pick<ContainerView, 'record' | 'name'>,
  pid: number,
): Promise<Readonly<Record<string, string>>> {
  const stored = storedConfigOf(record);
  const config = stored && networkConfigOf(stored);
  if (!config || networkModeOf(config.mode).kind !== 'network') return {};
  const { attachContainer } = await import('../../network/attach.ts');
  const { namespace } = ctx.containerd;
  const dataDir = dataDirOf(ctx.dirs, { namespace, id: record.id });
  const request = {
    ...{ namespace, id: record.id, pid, network: config.mode, ports: config.ports },
    ...{ name, aliases: config.aliases },
    hostname: record.labels[LABELS.hostname] ?? record.id.slice(0, 12),
    domainname: domainnameOf(stored),
    hostsPath: `${dataDir}/hosts`,
    extraHosts: config.extraHosts,
  };
  const last = lastAddressOf(dataDir, ctx.dirs);
  const attach = (wanted: InterfaceAddress | undefined) =>
    attachContainer(networkContextOf(ctx), { ...request, wanted });
  // The plugin may know of another use of its last address.
  const attached = await attach(last).catch((error: unknown) => {
    if (last === undefined || !hasCode(error, 'RUNTIME')) throw error;
    return attach(undefined);
  });
  noteAddress(dataDir, attached.endpoint);
  await notePorts(ctx, record.id, attached.ports);
  return changed(record.labels, portLabels(config.exposed, attached));
}

/** An empty label is removed. */
function portLabels(exposed: readonly string[], { ports }: Attachment): Readonly<Record<string, string>> {
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
    await detachContainer(networkContextOf(ctx), subject);
    await notePorts(ctx, id, []);
  } catch (error) {
    ctx.log.warn(`the network of container ${id.slice(0, 12)} could not be taken down: ${messageOf(error)}`);
  }
}
