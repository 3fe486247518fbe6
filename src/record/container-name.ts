import { LABELS } from '../lib/labels.ts';

/** What Kubernetes allows in the names of namespaces, pods and containers: nothing that a terminal or a filter could make something of. */
const PART = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The name of a container that Kubernetes made, in its parts; a pod's own container (its sandbox) has no third. */
export interface KubernetesName {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string | undefined;
}

/**
 * The name of a container: of those that healthctl and nerdctl made what was given to them; of those that Kubernetes made
 * `k8s://NAMESPACE/POD/CONTAINER`, as nerdctl shows it; else the id.
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

/** Undefined for what is no such name. */
export function parseKubernetesName(text: string): KubernetesName | undefined {
  if (!text.startsWith('k8s://')) return undefined;
  const [namespace = '', pod = '', container, ...rest] = text.slice('k8s://'.length).split('/');
  const isWhole = [namespace, pod, container ?? pod].every((part) => PART.test(part)) && rest.length === 0;
  return isWhole ? { namespace, pod, container } : undefined;
}
