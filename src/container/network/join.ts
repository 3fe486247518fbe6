import { symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { runDirOf, type StateDirs } from '../../lib/dirs.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { makeOwnDirectory, removeOwn } from '../../system/own-file.ts';
import type { ContainerContext } from '../context.ts';
import { resolveView } from '../resolve.ts';

/**
 * A symbolic link that exists only while a container is created that joins another's network: its runtime spec always
 * names the link, while the process behind it changes with each start. A start by another tool, which does not create
 * the link, fails.
 */
export function joinPathOf(dirs: StateDirs, subject: { readonly namespace: string; readonly id: string }): string {
  return `${runDirOf(dirs, subject)}.netns`;
}

async function cannotJoin(ctx: ContainerContext, joined: string): Promise<HealthctlError> {
  const { name, state } = await resolveView(ctx, joined);
  const why = `container ${name} is ${state}`;
  return new HealthctlError('CONFLICT', `cannot join network namespace of a non running container: ${why}`);
}

/** Whether a start failed because the container whose network is to be joined does not run. */
export const isJoinRefusal = (error: unknown): boolean =>
  hasCode(error, 'CONFLICT') && error.message.startsWith('cannot join network namespace ');

/**
 * Runs `make` while the network of another container is at the path that this one's runtime spec names.
 *
 * @throws CONFLICT with Docker's text if the other one does not run
 */
export async function withJoinedNetwork<T>(
  ctx: ContainerContext,
  { id, joined }: { readonly id: string; readonly joined: string },
  make: () => Promise<T>,
): Promise<T> {
  const task = await ctx.containerd.tasks.find(joined);
  if (task?.status !== 'running' && task?.status !== 'paused') throw await cannotJoin(ctx, joined);
  const path = joinPathOf(ctx.dirs, { namespace: ctx.containerd.namespace, id });
  makeOwnDirectory(dirname(path), ctx.dirs);
  removeOwn(path);
  symlinkSync(`/proc/${task.pid}/ns/net`, path);
  try {
    return await make();
  } finally {
    removeOwn(path);
  }
}
