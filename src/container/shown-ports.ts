import { LABELS } from '../lib/labels.ts';
import { portsOfLabel, portsText } from '../network/port-document.ts';
import type { ContainerView } from './view.ts';

/** What `ps` shows under PORTS. Only what runs can be reached. Of nerdctl's containers nerdctl's label tells. */
export function shownPortsText({ record, state }: Pick<ContainerView, 'record' | 'state'>): string {
  if (state !== 'running' && state !== 'paused') return '';
  return record.labels[LABELS.ports] ?? portsText([], portsOfLabel(record.labels[LABELS.nerdctlPorts]));
}

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
