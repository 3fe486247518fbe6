import type { ContainerRecord } from '../containerd/containers.ts';
import { fitsLabel, isReservedLabel, LABELS } from '../lib/labels.ts';
import { storedConfigOf } from './stored-config.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * The labels that users and images gave: Docker's labels of a container. Those too long for containerd are in the
 * stored config.
 */
export function shownLabels(record: Pick<ContainerRecord, 'labels' | 'extensionJson'>): Labels {
  const stored = storedConfigOf(record)?.Config.Labels ?? {};
  return { ...unheldLabels(stored), ...shownOf(record.labels) };
}

/** Like `shownLabels`, from labels alone. */
export function shownOf(labels: Labels): Labels {
  const shown = Object.entries(labels).filter(([key]) => !isReservedLabel(key) && key !== LABELS.stopSignal);
  return Object.fromEntries(shown);
}

/** Labels that containerd does not store: too long, or empty. */
export function unheldLabels(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => value === '' || !fitsLabel(key, value)));
}
