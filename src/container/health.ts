import { type GivenHealthConfig, isChecked } from '../health/config.ts';
import { effectiveState, type HealthState, type StoredHealth } from '../health/state.ts';
import type { ContainerContext } from './context.ts';
import { type ContainerView, healthConfigOf } from './view.ts';

/** A container's health as it is shown: nothing for a container without a check, no state for one never started. */
export interface ShownHealth {
  readonly config: GivenHealthConfig | undefined;
  readonly state: HealthState | undefined;
  readonly log: StoredHealth['log'];
}

/** Reads the store once. A damaged config label is a warning, and the container counts as having no check. */
export async function readHealth(
  ctx: Pick<ContainerContext, 'store' | 'log' | 'containerd'>,
  view: ContainerView,
): Promise<ShownHealth> {
  const { id, labels } = view.record;
  const parsed = healthConfigOf(labels);
  if (parsed.kind === 'malformed')
    ctx.log.warn(`container ${view.name}: the label with its health check is damaged and not used: ${parsed.reason}`);
  const config = parsed.kind === 'config' ? parsed.config : undefined;
  if (!isChecked(config)) return { config, state: undefined, log: [] };
  const stored = await ctx.store.get({ namespace: ctx.containerd.namespace, id, labels });
  const state = effectiveState({ stored, task: view.taskView, started: view.started });
  return { config, state, log: state ? stored.log : [] };
}

/** Docker's word in lists and filters: `none` where there is nothing to say. */
export function statusWord(health: Pick<ShownHealth, 'state'>): 'none' | HealthState['status'] {
  return health.state?.status ?? 'none';
}
