import { hasCode } from '../../lib/errors.ts';
import { type ContainerView, refuseUnknown, UNKNOWN_EXIT_CODE } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { viewRecord } from '../resolve.ts';
import { endOfContainer } from './end-of.ts';

/**
 * The exit code of a container: of the last run, or, if it runs, of this one once it ends. A created one counts as
 * ended with 0, as in Docker.
 */
export async function waitContainer(ctx: ContainerContext, view: ContainerView, signal?: AbortSignal): Promise<number> {
  refuseUnknown(view);
  if (view.state === 'created') return 0;
  if (view.exit) return view.exit.code;
  const { id } = view.record;
  const exit = await endOfContainer(ctx, id, signal ? { signal } : {});
  return exit ? exit.status : ((await notedExitCode(ctx, id, signal)) ?? 0); // removed meanwhile
}

/**
 * The exit code of a container for which containerd has none: from the monitor's record, else 255; undefined if the
 * container was removed.
 */
export async function notedExitCode(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>,
  id: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const options = signal ? { signal } : {};
  try {
    const { exit } = await viewRecord(ctx, await ctx.containerd.containers.get(id, options), options);
    return exit?.code ?? UNKNOWN_EXIT_CODE; // it may have been started again
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}
