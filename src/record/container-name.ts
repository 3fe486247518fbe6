import { LABELS } from '../lib/labels.ts';
import { printableLine } from '../lib/printable.ts';

/**
 * The characters that Kubernetes allows in names of namespaces, pods and containers: none is special to a terminal or a
 * filter.
 */
const PART = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The parts of the name of a container that Kubernetes made; a pod's own container (its sandbox) has no third part. */
export interface KubernetesName {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string | undefined;
}

/**
 * The name of a container: the given name if healthctl or nerdctl made it; `k8s://NAMESPACE/POD/CONTAINER` if
 * Kubernetes made it, as nerdctl shows it; else the id.
 */
export function containerNameOf({
  id,
  labels,
}: {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}): string {
  const own = labels[LABELS.name];
  if (own !== undefined) return own;
  const { [LABELS.podNamespace]: namespace, [LABELS.podName]: pod, [LABELS.podContainer]: container } = labels;
  const parts = [namespace, pod, ...(container === undefined ? [] : [container])];
  return parts.every((part) => part !== undefined && PART.test(part)) ? `k8s://${parts.join('/')}` : id;
}

/**
 * A container as messages to an operator name it: its name, and enough of the id to be unique. Without a name, or with one
 * that Kubernetes made: its id.
 *
 * @param container.name as containerNameOf returns it
 */
export function shownContainer({
  namespace,
  id,
  name,
}: {
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
}): string {
  const isNamed = name !== id && parseKubernetesName(name) === undefined;
  return printableLine(isNamed ? `${namespace}/${name} (${id.slice(0, 12)})` : `${namespace}/${id}`);
}

/** Undefined for any other text. */
export function parseKubernetesName(text: string): KubernetesName | undefined {
  if (!text.startsWith('k8s://')) return undefined;
  const [namespace = '', pod = '', container, ...rest] = text.slice('k8s://'.length).split('/');
  const isWhole = [namespace, pod, container ?? pod].every((part) => PART.test(part)) && rest.length === 0;
  return isWhole ? { namespace, pod, container } : undefined;
}
