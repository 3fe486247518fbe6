import { HealthctlError, hasCode } from '../lib/errors.ts';
import { endChecks } from '../probe/check-execs.ts';
import { runDirOf } from '../store/state-dir.ts';
import type { ContainerContext } from './context.ts';
import type { ContainerView } from './view.ts';

/** Freezes a container. A check in flight is ended first: its process would be frozen too, and its result says nothing. */
export async function pauseContainer(ctx: ContainerContext, view: ContainerView): Promise<void> {
  const { id } = view.record;
  if (view.state === 'paused') throw new HealthctlError('CONFLICT', `Container ${id} is already paused`);
  if (view.state !== 'running') throw new HealthctlError('CONFLICT', `container ${id} is not running`);
  await endChecks(ctx.containerd.tasks, {
    containerId: id,
    scratchDir: runDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id }),
  });
  await ctx.containerd.tasks.pause(id);
}

export async function unpauseContainer(ctx: ContainerContext, view: ContainerView): Promise<void> {
  const { id } = view.record;
  if (view.state !== 'paused') throw new HealthctlError('CONFLICT', `Container ${id} is not paused`);
  try {
    await ctx.containerd.tasks.resume(id);
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND'))
      throw new HealthctlError('CONFLICT', `container ${id} is not running`, { cause: error });
    throw error;
  }
}
