import { hasCode } from '../lib/errors.ts';
import { storedConfigOf } from '../record/stored-config.ts';
import type { ContainerContext } from './context.ts';
import { waitForForeignRestart } from './foreign-restart.ts';
import { removeContainer } from './remove.ts';
import { viewRecord } from './resolve.ts';
import { findComeback } from './wait/comeback.ts';

/**
 * Removes a container with `--rm` that has ended, unless a `restart` is about to start it again. May be called several
 * times for the same end: it is no error if it is already gone. One without `--rm` stays.
 */
export async function removeEnded(ctx: ContainerContext, id: string): Promise<void> {
  try {
    const record = await ctx.containerd.containers.get(id);
    if (storedConfigOf(record)?.HostConfig.AutoRemove !== true) return;
    // If it ends again meanwhile, that end is the next call's: it may be the stop of the next restart.
    if (await waitForForeignRestart(ctx, id)) return;
    const view = await viewRecord(ctx, await ctx.containerd.containers.get(id));
    if (view.state !== 'exited' || view.isStateUnknown) return;
    const end = { kind: 'exited', exitCode: view.exit?.code ?? 0, atMs: view.exit?.atMs ?? 0 } as const;
    if (findComeback(ctx, view.record, end) === 'nobody') await removeContainer(ctx, view, { force: false });
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
  }
}
