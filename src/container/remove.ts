import { stateOfUndeletable } from '../containerd/runtime-texts.ts';
import { dataDirOf, runDirOf } from '../lib/dirs.ts';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { holdCheckOutputs } from '../probe/check-execs.ts';
import { mayBeRestarted } from '../record/restart-label.ts';
import { storedConfigOf } from '../record/stored-config.ts';
import { type ContainerView, refuseUnknown } from '../record/view.ts';
import { isNerdctls } from '../store/state-dir.ts';
import { removeOwn } from '../system/own-file.ts';
import { containerExists } from './container-exists.ts';
import type { ContainerContext } from './context.ts';
import { forgetNerdctlFiles } from './nerdctl/store.ts';
import { detachNetwork } from './network/attach.ts';
import { removePidfile } from './pidfile.ts';
import { withRemovalLock } from './removal-lock.ts';
import { releaseSharedMemory } from './shared-memory.ts';
import { killContainer, noteStopped } from './stop.ts';
import { releaseParts } from './volumes/parts.ts';
import { removeAnonymousVolumes } from './volumes/use.ts';
import { unlessShimDies } from './wait/end-of.ts';

export interface RemoveOptions {
  /** Kills it first if it runs. */
  readonly force: boolean;
  /** Also removes its anonymous volumes. */
  readonly volumes?: boolean;
  readonly abort?: AbortSignal;
}

/**
 * Removes a container and all its files. The record is removed last, so that an interrupted removal can be repeated.
 *
 * Its anonymous volumes are removed on request, and with a container that removes itself.
 *
 * One remover at a time: the second finds it gone, which is no error.
 *
 * @throws CONFLICT with Docker's text for a running one, without force; UNKNOWN if its shim does not answer
 */
export async function removeContainer(
  ctx: ContainerContext,
  view: ContainerView,
  options: RemoveOptions,
): Promise<void> {
  if (!options.force) refuseUnknown(view);
  await withRemovalLock(ctx, view.record.id, async () => {
    // A container that another process removed while we waited counts as removed.
    if (await containerExists(ctx.containerd.containers, view.record.id)) await removeAll(ctx, view, options);
  });
}

async function removeAll(ctx: ContainerContext, view: ContainerView, options: RemoveOptions): Promise<void> {
  const { record, state, name } = view;
  const { id, labels } = record;
  const isUp = state === 'running' || state === 'paused';
  if (isUp && !options.force) throw stillUp(name, state);
  if (mayBeRestarted(labels)) await ignoreMissing(noteStopped(ctx, id)); // no restart during the removal
  if (isUp) await killContainer(ctx, view, options.abort);
  await deleteTask(ctx, view, options);
  await detachNetwork(ctx, id);
  await ctx.endNerdctlTimer(id);
  const subject = { namespace: ctx.containerd.namespace, id, labels };
  try {
    await ctx.store.remove(subject);
  } catch (error) {
    ctx.log.warn(`container ${name}: its health could not be removed: ${messageOf(error)}`);
  }
  removeOwn(dataDirOf(ctx.dirs, subject));
  releaseSharedMemory(ctx, id);
  releaseParts(ctx, id);
  if (labels[LABELS.owner] !== undefined) removePidfile(record, ctx.log);
  const isAutoRemoved = storedConfigOf(record)?.HostConfig.AutoRemove === true;
  if (options.volumes || isAutoRemoved) await removeAnonymousVolumes(ctx, record);
  await forgetNerdctlFiles(ctx, { id, labels });
  await ignoreMissing(ctx.containerd.containers.delete(id));
  if ((labels[LABELS.owner] !== undefined || isNerdctls(ctx.dirs, subject)) && record.snapshotKey !== '') {
    await ctx.containerd.snapshots.remove({ snapshotter: record.snapshotter, key: record.snapshotKey });
  }
}

/**
 * The task may run although that was not observed: it was started since, or its shim did not report its state in time.
 */
async function deleteTask(ctx: ContainerContext, view: ContainerView, options: RemoveOptions): Promise<void> {
  const { id } = view.record;
  const letGo = holdCheckOutputs(runDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id }));
  try {
    await ignoreMissing(unlessShimDies(ctx, id, () => ctx.containerd.tasks.delete(id)));
  } catch (error) {
    const state = stateOfUndeletable(error);
    if (state === undefined) throw error;
    if (!options.force) throw stillUp(view.name, state, error);
    await killContainer(ctx, { ...view, state }, options.abort);
    await ignoreMissing(unlessShimDies(ctx, id, () => ctx.containerd.tasks.delete(id)));
  } finally {
    letGo();
  }
}

function stillUp(name: string, state: 'running' | 'paused', cause?: unknown): HealthctlError {
  const what =
    state === 'paused'
      ? 'paused and must be unpaused first'
      : 'running: stop the container before removing or force remove';
  return new HealthctlError('CONFLICT', `cannot remove container "${name}": container is ${what}`, { cause });
}

async function ignoreMissing(done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
  }
}
