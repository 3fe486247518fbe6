import type { NamespaceDirs } from '../lib/dirs.ts';
import { LABELS } from '../lib/labels.ts';
import { isHeld, readAttachment } from '../network/attachment.ts';
import { endpointIdOf } from '../network/endpoint-id.ts';
import { portsText } from '../network/port-document.ts';
import type { PublishedPort } from '../network/port-spec.ts';
import { nerdctlAttachmentOf, nerdctlPortsOf, type ShownAttachment } from './nerdctl-network.ts';
import type { ContainerView } from './view.ts';

type PortView = Pick<ContainerView, 'record' | 'state' | 'task'>;

/** The column PORTS of `ps`. Only a running container can be reached. */
export function shownPortsText(view: PortView, namespaceDirs?: NamespaceDirs): string {
  const { record } = view;
  if (!isUp(view)) return '';
  const own = record.labels[LABELS.ports];
  if (own === undefined)
    return namespaceDirs ? portsText([], nerdctlPortsOf(namespaceDirs.dirs, subjectOf(view, namespaceDirs))) : '';
  // The label belongs to the last run that healthctl attached: another tool may have started it since.
  if (!namespaceDirs || !own.includes('->') || attachmentOf(view, namespaceDirs)) return own;
  return own
    .split(', ')
    .filter((part) => !part.includes('->'))
    .join(', ');
}

/**
 * The published ports of the present run.
 *
 * @param attachment from attachmentOf, where it is known: it is in a file
 */
export function publishedPortsOf(
  view: PortView,
  namespaceDirs: NamespaceDirs,
  attachment?: { readonly known: ShownAttachment | undefined },
): readonly PublishedPort[] {
  if (!isUp(view)) return [];
  if (view.record.labels[LABELS.owner] === undefined)
    return nerdctlPortsOf(namespaceDirs.dirs, subjectOf(view, namespaceDirs));
  return (attachment ? attachment.known : attachmentOf(view, namespaceDirs))?.ports ?? [];
}

/** The attachment of the present run: undefined without a network, or if another tool started it without one. */
export function attachmentOf(view: PortView, namespaceDirs: NamespaceDirs): ShownAttachment | undefined {
  const { record, task } = view;
  if (!isUp(view)) return undefined;
  if (record.labels[LABELS.owner] === undefined)
    return nerdctlAttachmentOf(namespaceDirs.dirs, subjectOf(view, namespaceDirs));
  const attachment = readAttachment(namespaceDirs, { namespace: namespaceDirs.namespace, id: record.id });
  if (!attachment || attachment.holder.pid !== task?.pid || !isHeld(attachment)) return undefined;
  const memberships = attachment.memberships.map((one) => ({
    ...one,
    endpointId: endpointIdOf(attachment, one.networkId),
  }));
  return { ports: attachment.ports, memberships };
}

const isUp = ({ state }: Pick<PortView, 'state'>): boolean => state === 'running' || state === 'paused';
const subjectOf = ({ record: { id, labels } }: PortView, { namespace }: NamespaceDirs) => ({ namespace, id, labels });

export interface ShownPorts {
  readonly protocol: string;
  /** First and last port in the container. */
  readonly container: PortSpan;
  /** On the host; undefined for ports that are only exposed. */
  readonly host: PortSpan | undefined;
}

export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

/**
 * Parses the text of the column: `0.0.0.0:8000-8002->80-82/tcp, 443/tcp`. Invalid parts, from a damaged label, are
 * skipped.
 */
export function parseShownPorts(text: string): readonly ShownPorts[] {
  return text.split(', ').flatMap((part) => {
    const found = /^(?:[^>]*:(?<host>[\d-]+)->)?(?<container>[\d-]+)\/(?<protocol>[a-z]+)$/.exec(part)?.groups;
    const container = spanFrom(found?.container);
    return found && container ? [{ protocol: found.protocol ?? '', container, host: spanFrom(found.host) }] : [];
  });
}

function spanFrom(text: string | undefined): PortSpan | undefined {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text ?? '') ?? [];
  return first === undefined ? undefined : { first: Number(first), last: Number(last) };
}
