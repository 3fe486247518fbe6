import { rmSync } from 'node:fs';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { type ContainerContext, dataDirOf } from './context.ts';
import { killContainer } from './stop.ts';
import type { ContainerView } from './view.ts';

/**
 * Removes a container and all that is kept of it. When it is interrupted, the record is the last thing to go, so that it can be called again.
 *
 * @param options.force kills it first when it runs
 * @throws CONFLICT with Docker's text for one that runs, without force
 */
export async function removeContainer(
  ctx: ContainerContext,
  view: ContainerView,
  options: { readonly force: boolean; readonly abort?: AbortSignal },
): Promise<void> {
  const { record, state, name } = view;
  const { id, labels } = record;
  if (state === 'running' || state === 'paused') {
    if (!options.force) {
      const what =
        state === 'paused'
          ? 'paused and must be unpaused first'
          : 'running: stop the container before removing or force remove';
      throw new HealthctlError('CONFLICT', `cannot remove container "${name}": container is ${what}`);
    }
    await killContainer(ctx, view, options.abort);
  }
  await ignoreMissing(ctx.containerd.tasks.delete(id));
  const subject = { namespace: ctx.containerd.namespace, id, labels };
  try {
    await ctx.store.remove(subject);
  } catch (error) {
    ctx.log.warn(`container ${name}: its health could not be removed: ${messageOf(error)}`);
  }
  rmSync(dataDirOf(ctx.dirs, subject), { recursive: true, force: true });
  await ignoreMissing(ctx.containerd.containers.delete(id));
  if (labels[LABELS.owner] !== undefined && record.snapshotKey !== '') {
    await ctx.containerd.snapshots.remove({ snapshotter: record.snapshotter, key: record.snapshotKey });
  }
}

async function ignoreMissing(done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
  }
}
