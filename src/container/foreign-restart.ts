import { hasCode } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { ContainerContext } from './context.ts';

/**
 * A label of containerd's restart plugin: nerdctl sets it to `true` before it stops a container, and to `false` before
 * it starts one: before the old task is deleted. `healthctl start` removes it.
 */
const EXPLICITLY_STOPPED = LABELS.explicitlyStopped;
/** nerdctl's `restart` deletes the old task right after its end. */
const GRACE_MS = 2_000;
/** Further time for the new task to run: the runtime, and hooks. */
const START_LIMIT_MS = 15_000;
const EVERY_MS = 100;

/**
 * Waits a moment if nerdctl may have just stopped a container: its `restart` is a stop and a start, and in between the
 * container looks permanently ended.
 *
 * @returns whether it runs again
 */
export async function waitForForeignRestart(
  { containerd, clock }: Pick<ContainerContext, 'containerd' | 'clock'>,
  id: string,
): Promise<boolean> {
  try {
    const { labels } = await containerd.containers.get(id);
    // Seen late: it was already restarted.
    if ((await containerd.tasks.find(id))?.status === 'running') return true;
    // `false` is from the start of this restart, or of an earlier one: waiting in vain costs a moment.
    if (labels[EXPLICITLY_STOPPED] === undefined) return false;
    let leftMs = GRACE_MS;
    let isDeleted = false;
    while (leftMs > 0) {
      const task = await containerd.tasks.find(id);
      if (task?.status === 'running') return true;
      if (!task && !isDeleted) {
        isDeleted = true;
        leftMs = START_LIMIT_MS;
      }
      // It was started and has ended again, or is being created: containerd 2.4 shows a task as stopped until its
      // process exists.
      if (task?.status === 'stopped' && isDeleted) leftMs = Math.min(leftMs, GRACE_MS);
      await clock.sleep(EVERY_MS);
      leftMs -= EVERY_MS;
    }
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
  }
  return false;
}
