import type { ContainerDirs } from '../lib/dirs.ts';
import { LABELS } from '../lib/labels.ts';
import { isHeld, readAttachment } from '../network/attachment.ts';
import { portsText } from '../network/port-document.ts';
import type { PublishedPort } from '../network/port-spec.ts';
import { nerdctlAttachmentOf, nerdctlPortsOf, type ShownAttachment } from './nerdctl-network.ts';
import type { ContainerView } from './view.ts';

/** Where it is known how containers of a namespace are attached. */
export interface PortPlace {
  readonly dirs: ContainerDirs;
  readonly namespace: string;
}

type PortView = Pick<ContainerView, 'record' | 'state' | 'task'>;

/** What `ps` shows under PORTS. Only what runs can be reached. */
export function shownPortsText(view: PortView, place?: PortPlace): string {
  const { record } = view;
  if (!isUp(view)) return '';
  const own = record.labels[LABELS.ports];
  if (own === undefined) return place ? portsText([], nerdctlPortsOf(place.dirs, subjectOf(view, place))) : '';
  // The label is of the last run that healthctl attached: another tool may have started it since.
  if (!place || !own.includes('->') || attachmentOf(view, place)) return own;
  return own
    .split(', ')
    .filter((part) => !part.includes('->'))
    .join(', ');
}

/** The ports of the present run. */
export function publishedPortsOf(view: PortView, place: PortPlace): readonly PublishedPort[] {
  if (!isUp(view)) return [];
  if (view.record.labels[LABELS.owner] === undefined) return nerdctlPortsOf(place.dirs, subjectOf(view, place));
  return attachmentOf(view, place)?.ports ?? [];
}

/** How the present run is attached: undefined for one that has no network, or lost it because another tool started it. */
export function attachmentOf(view: PortView, place: PortPlace): ShownAttachment | undefined {
  const { record, task } = view;
  if (!isUp(view)) return undefined;
  if (record.labels[LABELS.owner] === undefined) return nerdctlAttachmentOf(place.dirs, subjectOf(view, place));
  const attachment = readAttachment(place, { namespace: place.namespace, id: record.id });
  return attachment && attachment.holder.pid === task?.pid && isHeld(attachment) ? attachment : undefined;
}

const isUp = ({ state }: Pick<PortView, 'state'>): boolean => state === 'running' || state === 'paused';
const subjectOf = ({ record: { id, labels } }: PortView, { namespace }: PortPlace) => ({ namespace, id, labels });

export interface ShownPorts {
  readonly protocol: string;
  /** First and last port in the container. */
  readonly container: PortSpan;
  /** On the host; undefined for ports that are exposed only. */
  readonly host: PortSpan | undefined;
}

export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

/** Reads that text: `0.0.0.0:8000-8002->80-82/tcp, 443/tcp`. A part that is none, from a damaged label, is left out. */
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
