import { hasCode } from '../lib/errors.ts';
import type { ContainerContext } from './context.ts';
import { type ContainerView, refuseUnknown } from './view.ts';

/** The exit code of a container: of the last run, or, when it runs, of this one as soon as it ends. A created one counts as ended with 0, as with Docker. */
export async function waitContainer(ctx: ContainerContext, view: ContainerView, signal?: AbortSignal): Promise<number> {
  refuseUnknown(view);
  if (view.state === 'created') return 0;
  if (view.exit) return view.exit.code;
  try {
    const exit = await ctx.containerd.tasks.wait({ containerId: view.record.id }, signal ? { signal } : {});
    return exit.status;
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return 0; // removed meanwhile
    throw error;
  }
}
