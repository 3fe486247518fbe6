import { encodeJson } from '../../lib/json.ts';
import { LABELS } from '../../lib/labels.ts';
import type { RuntimeSpec } from '../../oci/types.ts';
import { specOf } from '../../record/details.ts';
import type { ContainerView } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';

/**
 * Annotations of the runtime spec without which nerdctl cannot remove a container (its pkg/cmd/container/remove.go:
 * `unexpected end of JSON input`). They always name the network `none`: nerdctl would look for the true one among its
 * own networks, and its `stop` and `kill` would fail.
 */
export function nerdctlAnnotations(namespace: string): Readonly<Record<string, string>> {
  return { [LABELS.networks]: '["none"]', [LABELS.namespace]: namespace };
}

/** Adds them to the spec of a container of ours by an earlier version. @returns the updated record */
export async function ensureNerdctlAnnotations(
  { containerd }: Pick<ContainerContext, 'containerd'>,
  record: ContainerView['record'],
): Promise<ContainerView['record']> {
  const wanted = nerdctlAnnotations(containerd.namespace);
  // Checked without parsing the spec, which would slow down every start.
  if (record.specJson()?.includes(`"${LABELS.networks}"`)) return record;
  const spec: RuntimeSpec | undefined = specOf(record);
  if (!spec) return record;
  const json = encodeJson({ ...spec, annotations: { ...spec.annotations, ...wanted } });
  await containerd.containers.setSpec(record.id, json);
  return { ...record, specJson: () => json };
}
