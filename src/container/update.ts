import { checkKindOf, type GivenHealthConfig, mergeHealthConfig } from '../health/config.ts';
import { isSameTest } from '../health/fields.ts';
import { originsAfterUpdate } from '../health/origins.ts';
import { type RestartPolicy, restartPolicyText } from '../health/restart-policy.ts';
import { rfc3339FromMillis } from '../health/result.ts';
import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { Limits } from '../oci/resources.ts';
import { healthLabelsOf, originsLabel, recordedOriginsOf } from '../record/health-labels.ts';
import { isRestartedByContainerd } from '../record/restart-label.ts';
import { storedConfigOf } from '../record/stored-config.ts';
import { type ContainerView, givenHealthConfigOf, type Moment, momentOf } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { refuseKubernetesActions } from './refuse-kubernetes.ts';
import { tellAction } from './tell-action.ts';
import { updateLimits } from './update-limits.ts';

/** The changes; an absent field stays unchanged. */
export interface Update {
  readonly limits?: Limits | undefined;
  readonly health?: GivenHealthConfig | undefined;
  readonly restart?: RestartPolicy | undefined;
}

/**
 * Changes the limits, the health check or the restart policy of any container, running or not. Limits first: they may
 * be refused. The rest are labels, which a monitor sees at once. Given fields of a check replace the present ones; another test starts with `starting` again.
 *
 * @throws CONFLICT for a policy on a container that Kubernetes or containerd's own restart plugin manages; INVALID for
 *   invalid options of a check
 */
export async function updateContainer(ctx: ContainerContext, view: ContainerView, update: Update): Promise<void> {
  const { id, labels } = view.record;
  refuseKubernetesActions(ctx.containerd.namespace, update);
  const isRestarting = (update.restart?.name ?? 'no') !== 'no';
  if (isRestarting && storedConfigOf(view.record)?.HostConfig.AutoRemove)
    throw new HealthctlError(
      'CONFLICT',
      `Cannot update container ${id}: Restart policy cannot be updated because AutoRemove is enabled for the container`,
    );
  if (isRestarting && isRestartedByContainerd(labels))
    throw new HealthctlError('CONFLICT', `container ${view.name} is restarted by containerd itself`, {
      hint: 'nerdctl made it with --restart: change that with nerdctl update --restart',
    });
  if (update.limits && Object.keys(update.limits).length > 0) await updateLimits(ctx, view, update.limits);
  const changed = {
    ...(update.health ? healthChange(labels, update.health, momentOf(ctx.clock)) : {}),
    // An empty value removes the label.
    ...(update.restart ? { [LABELS.restart]: isRestarting ? restartPolicyText(update.restart) : '' } : {}),
  };
  if (Object.keys(changed).length > 0) await ctx.containerd.containers.setLabels(id, changed);
  await tellAction(ctx, { id, action: 'update' });
}

function healthChange(
  labels: Readonly<Record<string, string>>,
  health: GivenHealthConfig,
  { nowMs, bootId, bootMs }: Moment,
): Readonly<Record<string, string>> {
  const before = givenHealthConfigOf(labels);
  const config = mergeHealthConfig(before, health);
  if (!config || checkKindOf(config.test).kind === 'none')
    throw new HealthctlError('INVALID', 'the container has no health check that could be changed', {
      hint: 'give it one with --health-cmd, --health-http, --health-tcp or --health-grpc',
    });
  const isOther = !isSameTest(before?.test, config.test);
  return {
    [LABELS.healthcheck]: '',
    ...(isOther
      ? {
          [LABELS.testSince]: rfc3339FromMillis(nowMs),
          [LABELS.testSinceBoot]: `${bootId}:${Math.round(bootMs)}`,
        }
      : {}),
    ...healthLabelsOf(config),
    ...originsLabel(originsAfterUpdate(recordedOriginsOf(labels), health)),
  };
}
