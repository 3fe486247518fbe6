import type { ListedContainer } from '../container/list.ts';
import { isChecked } from '../health/config.ts';
import { isOfRun } from '../health/state.ts';
import { humanDuration } from './format/units.ts';

/**
 * The one warning that follows what is shown of health while no monitor makes the checks: of which moment it is.
 * Undefined when nothing that runs is to be checked.
 */
export function staleHealthWarning(shown: readonly ListedContainer[], nowMs: number): string | undefined {
  const checked = shown.filter(({ view, health }) => view.state === 'running' && isChecked(health.config));
  if (checked.length === 0) return undefined;
  const ends = checked.map(lastCheckMs).filter((ms) => ms !== undefined);
  if (ends.length === 0) {
    const wasChecked = checked.some(({ health }) => health.state?.run !== undefined);
    return wasChecked
      ? 'no monitor runs, and when the last check was is not known: its result is lost'
      : 'no monitor runs, and no check was made since the start';
  }
  const which = checked.length === 1 ? 'the last check' : 'the last checks, the newest';
  return `no monitor runs: health is as of ${which} ${humanDuration(nowMs - Math.max(...ends)).toLowerCase()} ago`;
}

/** When the last check of the present run, by its present test, ended. */
function lastCheckMs({ view: { taskView }, health }: ListedContainer): number | undefined {
  const last = health.log.at(-1);
  const isOfPresent = taskView.kind === 'running' && isOfRun(health, taskView.run);
  return last === undefined || !isOfPresent ? undefined : Date.parse(last.end);
}
