import { encodeJson } from '../../lib/json.ts';
import { LABELS } from '../../lib/labels.ts';
import type { RuntimeSpec } from '../../oci/types.ts';
import { specOf } from '../../record/details.ts';
import type { ContainerView } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';

/**
 * Annotations of the runtime spec without which nerdctl cannot remove a container (its pkg/cmd/container/remove.go: `unexpected end of JSON input`).
 * The network is `none` whatever it is: nerdctl would look for the true one among its own, and its `stop` and `kill` would fail.
 */
export function nerdctlAnnotations(namespace: string): Readonly<Record<string, string>> {
  return { [LABELS.networks]: '["none"]', [LABELS.namespace]: namespace };
}

/** Adds them to the spec of a container of ours that an earlier version made. @returns the record as it is then */
export async function ensureNerdctlAnnotations(
  { containerd }: Pick<ContainerContext, 'containerd'>,
  record: ContainerView['record'],
): Promise<ContainerView['record']> {
  const wanted = nerdctlAnnotations(containerd.namespace);
  // Told without parsing the spec, which every start would pay for.
  if (record.specJson()?.includes(`"${LABELS.networks}"`)) return record;
  const spec: RuntimeSpec | undefined = specOf(record);
  if (!spec) return record;
  const json = encodeJson({ ...spec, annotations: { ...spec.annotations, ...wanted } });
  await containerd.containers.setSpec(record.id, json);
  return { ...record, specJson: () => json };
}
