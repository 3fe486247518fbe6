import type { ContainerContext } from '../container/context.ts';
import type { ContainerView } from '../container/view.ts';
import type { World } from '../world.ts';
import { leaveToMonitor, tellMonitor } from './monitor.ts';

/**
 * Starts a container that is waited for. It is watched from before its start: one that ends at once, and is removed then, still tells how it
 * ended.
 *
 * @returns waits until it is ready: see waitReady. To be called
 */
export async function startWatched(
  world: World,
  ctx: ContainerContext,
  view: ContainerView,
): Promise<(wish: { readonly timeoutMs?: number }) => Promise<void>> {
  const { signal } = world;
  const [{ startContainer }, { waitReady }, { watchFor }] = await Promise.all([
    import('../container/start.ts'),
    import('../container/wait-ready.ts'),
    import('../container/wait-for.ts'),
  ]);
  const watch = await watchFor(ctx, signal);
  try {
    await startContainer(ctx, view);
    await leaveToMonitor(world, ctx, view.record.id, { isWaitedFor: true });
  } catch (error) {
    watch.stop();
    throw error;
  }
  const hasMonitor = () => tellMonitor(world, view.record.id);
  return (wish) => waitReady(ctx, view, { signal, watch, hasMonitor, ...wish });
}
