import { hasCode } from '../lib/errors.ts';
import type { ContainerContext } from './context.ts';

/** containerd's restart plugin: nerdctl sets it before it stops a container, and clears it after it has started one. */
const EXPLICITLY_STOPPED = 'containerd.io/restart.explicitly-stopped';
/** nerdctl's `restart` deletes the old task at once after the end. */
const GRACE_MS = 2_000;
/** What the new task may then take to run: the runtime, and hooks. */
const START_LIMIT_MS = 15_000;
const EVERY_MS = 100;

/**
 * Waits a moment when nerdctl has just stopped a container: its `restart` is a stop and a start, and between them the container looks as if it
 * had ended for good.
 *
 * @returns whether it runs again
 */
export async function waitForForeignRestart(
  { containerd, clock }: Pick<ContainerContext, 'containerd' | 'clock'>,
  id: string,
): Promise<boolean> {
  try {
    const { labels } = await containerd.containers.get(id);
    // Looked at late: it was restarted already, and the note taken back.
    if ((await containerd.tasks.find(id))?.status === 'running') return true;
    if (labels[EXPLICITLY_STOPPED] !== 'true') return false;
    let leftMs = GRACE_MS;
    let isDeleted = false;
    while (leftMs > 0) {
      const task = await containerd.tasks.find(id);
      if (task?.status === 'running') return true;
      if (!task && !isDeleted) {
        isDeleted = true;
        leftMs = START_LIMIT_MS;
      }
      // It was started and has ended again, or is being made: containerd 2.4 shows a task as stopped until its process is there.
      if (task?.status === 'stopped' && isDeleted) leftMs = Math.min(leftMs, GRACE_MS);
      await clock.sleep(EVERY_MS);
      leftMs -= EVERY_MS;
    }
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
  }
  return false;
}
