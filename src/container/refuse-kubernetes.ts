import type { GivenHealthConfig } from '../health/config.ts';
import type { RestartPolicy } from '../health/restart-policy.ts';
import { HealthctlError } from '../lib/errors.ts';

/** Kubernetes' namespace in containerd. */
const KUBERNETES = 'k8s.io';

/** Kubernetes manages its containers: they can be checked, but no action on them is allowed. Throws CONFLICT. */
export function refuseKubernetesActions(
  namespace: string,
  asked: { readonly health?: GivenHealthConfig | undefined; readonly restart?: RestartPolicy | undefined },
): void {
  if (namespace !== KUBERNETES) return;
  const { onFailure = 'none' } = asked.health ?? {};
  const { name = 'no' } = asked.restart ?? {};
  if (onFailure === 'none' && name === 'no') return;
  throw new HealthctlError(
    'CONFLICT',
    `${onFailure === 'none' ? '--restart' : '--health-on-failure'} is not for containers of Kubernetes`,
    { hint: 'the kubelet restarts them: give the pod a livenessProbe' },
  );
}
