import type { AttachEnd, Attachment, AttachRequest } from '../container/console/attach.ts';
import type { ContainerContext } from '../container/context.ts';
import { forgetOutput } from '../container/logs/output-files.ts';
import { detachNetwork } from '../container/network/attach.ts';
import { dataDirOf } from '../lib/dirs.ts';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { logConfigOf } from '../record/log-config.ts';
import { storedConfigOf } from '../record/stored-config.ts';
import type { ContainerView } from '../record/view.ts';
import type { World } from '../world.ts';
import type { CommandResult } from './command.ts';
import { announceChange } from './monitor/announce-change.ts';

/** How to connect the user's console. */
export type AttachWish = Pick<AttachRequest, 'stdin' | 'outputs' | 'proxySignals' | 'detachKeys'>;

/**
 * Starts a container with the user attached before it runs, so that nothing is missed. Resolves at the end of the
 * attachment.
 */
export async function startAttachedTo(
  world: World,
  ctx: ContainerContext,
  { view, wish }: { readonly view: ContainerView; readonly wish: AttachWish },
): Promise<AttachEnd> {
  const [{ startContainer }, { attachContainer }] = await Promise.all([
    import('../container/start.ts'),
    import('../container/console/attach.ts'),
  ]);
  let attachment: Attachment | undefined;
  try {
    await startContainer(ctx, view, async ({ pid, stdio }) => {
      const request = { ...wish, containerId: view.record.id, pid, stdio, isNew: true };
      attachment = await attachContainer(ctx, world, request);
    });
  } catch (error) {
    await attachment?.close();
    throw error;
  }
  if (!attachment)
    throw new HealthctlError('CONFLICT', `container ${view.name} was started by another process meanwhile`);
  // While the user is attached: a check is due an interval after the start at the earliest.
  const left = announceChange(world, ctx, view.record.id, { kind: 'started', isAttached: true });
  left.catch((error: unknown) => world.log.debug(messageOf(error)));
  const end = await attachment.ended.finally(() => forgetUnkept(ctx, view));
  if (end.kind === 'exited') await detachNetwork(ctx, view.record.id);
  return end;
}

/** Call it after an attachment to an existing container: with `--rm`, the container is gone when the command ends. */
export async function removeAfterEnd(world: World, ctx: ContainerContext, id: string, end: AttachEnd): Promise<void> {
  if (end.kind !== 'exited') return;
  const { removeEnded } = await import('../container/remove-ended.ts');
  try {
    await removeEnded(ctx, id);
  } catch (error) {
    ctx.log.warn(`container ${id} was not removed: ${messageOf(error)}`);
  }
  await announceChange(world, ctx, id, { kind: 'ended' });
}

async function forgetUnkept(ctx: ContainerContext, { record }: ContainerView): Promise<void> {
  if (logConfigOf(storedConfigOf(record)?.HostConfig ?? {}).driver !== 'none') return;
  forgetOutput(dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: record.id }));
}

/** The container's exit code; 0 for a console that was detached from it. Throws CONFLICT for a broken attachment. */
export function resultOfAttachment(end: AttachEnd): CommandResult {
  switch (end.kind) {
    case 'exited':
      return { exitCode: end.exitCode };
    case 'detached':
      return { exitCode: 0 };
    case 'forced':
      throw new HealthctlError('CONFLICT', 'got 3 SIGTERM/SIGINTs, forcefully exiting', { exitCode: 1 });
  }
}
