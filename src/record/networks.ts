import type { ContainerRecord } from '../containerd/containers.ts';
import { LABELS } from '../lib/labels.ts';
import { parseJsonText, textsIn } from '../lib/shape.ts';

/** The names of a container's networks, from its label; none if there is no such label, or a damaged one. */
export function networksOf({ labels }: Pick<ContainerRecord, 'labels'>): readonly string[] {
  return textsIn(parseJsonText(labels[LABELS.networks]));
}
