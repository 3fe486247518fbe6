import type { ContainerRecord } from '../containerd/containers.ts';
import { LABELS } from '../lib/labels.ts';

/** The names of a container's networks, from its label; none if there is no such label, or a damaged one. */
export function networksOf({ labels }: Pick<ContainerRecord, 'labels'>): readonly string[] {
  try {
    const value: unknown = JSON.parse(labels[LABELS.networks] ?? '[]');
    return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}
