import { join } from 'node:path';
import type { StateDirs } from '../lib/dirs.ts';
import { LABELS } from '../lib/labels.ts';
import { type JsonObject, objectIn, parseJsonText } from '../lib/shape.ts';
import type { Attachment, Membership } from '../network/attachment.ts';
import { endpointFrom } from '../network/cni-result.ts';
import { portsOfList } from '../network/port-document.ts';
import type { PublishedPort } from '../network/port-spec.ts';
import { isNerdctls } from '../store/state-dir.ts';
import { inspectOwnFile } from '../system/own-file.ts';

export const MAX_FILE_BYTES = 1 << 20;

export interface Subject {
  readonly namespace: string;
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The part of an attachment that `inspect` shows. */
export interface ShownAttachment extends Pick<Attachment, 'ports'> {
  readonly memberships: readonly ShownMembership[];
}

export interface ShownMembership extends Pick<Membership, 'network' | 'networkId' | 'names' | 'endpoint'> {
  /** Docker's id of the interface; empty for a container of nerdctl's. */
  readonly endpointId: string;
}

/** The ports of a container of nerdctl's; none for any other. */
export function nerdctlPortsOf(dirs: StateDirs, subject: Subject): readonly PublishedPort[] {
  if (!isNerdctls(dirs, subject)) return [];
  const config = readJson(join(storeOf(dirs), 'containers', subject.namespace, subject.id, 'network-config.json'));
  const ports = portsOfList(objectIn(config).portMappings);
  return ports.length > 0 ? ports : portsOfList(parseJsonText(subject.labels[LABELS.nerdctlPorts]));
}

/**
 * The networks of a container of nerdctl's, with its addresses. Undefined without a network, and for any other
 * container.
 */
export function nerdctlAttachmentOf(dirs: StateDirs, subject: Subject): ShownAttachment | undefined {
  if (!isNerdctls(dirs, subject)) return undefined;
  const memberships = Object.entries(networksIn(dirs, subject)).map(([network, result], index): ShownMembership => {
    const endpoint = endpointFrom(result, `eth${index}`);
    return { network, networkId: '', endpointId: '', names: [], ...(endpoint ? { endpoint } : {}) };
  });
  return memberships.length === 0 ? undefined : { ports: nerdctlPortsOf(dirs, subject), memberships };
}

/** By network name, in interface order: the result of the last plugin. */
export function networksIn(dirs: StateDirs, { namespace, id }: Omit<Subject, 'labels'>): JsonObject {
  const meta = readJson(join(storeOf(dirs), 'etchosts', namespace, id, 'meta.json'));
  return objectIn(objectIn(meta).Networks);
}

export const storeOf = ({ nerdctlDataRoot, hostId }: StateDirs): string => join(nerdctlDataRoot, hostId);

/** The files are nerdctl's: a damaged one stays in place and counts as missing. */
export function readJson(path: string): unknown {
  const found = inspectOwnFile(path, { maxBytes: MAX_FILE_BYTES });
  return found.kind === 'read' ? parseJsonText(found.bytes.toString('utf8')) : undefined;
}
