import type { ContainerContext } from '../container/context.ts';
import { readHealth } from '../container/health.ts';
import type { ContainerView } from '../container/view.ts';
import { isChecked, withDefaults } from '../health/config.ts';
import type { ScheduleFacts } from '../health/schedule.ts';
import { countsFromMs } from '../health/state.ts';

/** What the time of a running container's next check depends on, on the wall clock; undefined for one that is not to be checked now. */
export async function scheduleFactsOf(
  ctx: Pick<ContainerContext, 'store' | 'log' | 'containerd'>,
  view: ContainerView,
): Promise<ScheduleFacts | undefined> {
  const { taskView } = view;
  if (taskView.kind !== 'running') return undefined;
  const { config, state, log } = await readHealth(ctx, view);
  if (!config || !isChecked(config) || !state) return undefined;
  const graceFromMs = countsFromMs(taskView.run);
  const last = log.at(-1);
  const isOfRun = last !== undefined && Date.parse(last.start) >= graceFromMs;
  return {
    fromMs: isOfRun ? Date.parse(last.end) : graceFromMs,
    graceFromMs,
    status: state.status,
    config: withDefaults(config),
  };
}
