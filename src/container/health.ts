import { isChecked } from '../health/config.ts';
import { effectiveState } from '../health/state.ts';
import type { ShownHealth } from '../record/shown-health.ts';
import { type ContainerView, healthConfigOf } from '../record/view.ts';
import type { ContainerContext } from './context.ts';

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
