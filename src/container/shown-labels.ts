import type { ContainerRecord } from '../containerd/containers.ts';
import { isReservedLabel, LABELS } from '../lib/labels.ts';

/** The labels that users and images gave: what Docker calls a container's labels. */
export function shownLabels({ labels }: Pick<ContainerRecord, 'labels'>): Readonly<Record<string, string>> {
  const shown = Object.entries(labels).filter(([key]) => !isReservedLabel(key) && key !== LABELS.stopSignal);
  return Object.fromEntries(shown.sort(([a], [b]) => (a < b ? -1 : 1)));
}
