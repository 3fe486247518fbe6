import type { ContainerContext } from '../../container/context.ts';
import { readHealth } from '../../container/health.ts';
import { isChecked, withDefaults } from '../../health/config.ts';
import type { ScheduleFacts } from '../../health/schedule.ts';
import { endMsOf, isOfRun, testedForMs } from '../../health/state.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ContainerView } from '../../record/view.ts';

/**
 * The facts for the time of a running container's next check, on the wall clock; undefined if it is not to be checked
 * now.
 */
export async function scheduleFactsOf(
  ctx: Pick<ContainerContext, 'store' | 'log' | 'containerd'> & { readonly clock: Pick<Clock, 'now' | 'boot'> },
  view: ContainerView,
): Promise<ScheduleFacts | undefined> {
  const { taskView } = view;
  if (taskView.kind !== 'running') return undefined;
  const { config, state, log } = await readHealth(ctx, view);
  if (!config || !isChecked(config) || !state) return undefined;
  const now = { nowMs: ctx.clock.now(), bootMs: ctx.clock.boot() };
  const { nowMs } = now;
  const graceFromMs = nowMs - testedForMs(taskView.run, now);
  const last = isOfRun({ state, log }, taskView.run) ? log.at(-1) : undefined;
  return {
    // A time in the future was recorded before the clock was set back.
    fromMs: last ? Math.min(nowMs, endMsOf(last, now)) : graceFromMs,
    graceFromMs,
    status: state.status,
    config: withDefaults(config),
  };
}
