import type { ContainerContext } from '../container/context.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import type { ContainerView } from '../record/view.ts';
import type { World } from '../world.ts';
import { announceChange, refreshMonitor } from './monitor/announce-change.ts';

/**
 * Starts a container that the caller will wait for. Follows its events from before the start, so that its end is known
 * even if it ends at once and is removed.
 *
 * @returns a function that waits until the container is ready: see waitReady. It throws UNAVAILABLE or CONFLICT if the
 *   container is not checked, or not any more. Call it exactly once
 */
export async function startWaitedFor(
  world: World,
  ctx: ContainerContext,
  view: ContainerView,
): Promise<(wish: { readonly timeoutMs?: number }) => Promise<void>> {
  const { signal } = world;
  const [{ startContainer }, { waitReady }, { watchFor }] = await Promise.all([
    import('../container/start.ts'),
    import('../container/wait/wait-ready.ts'),
    import('../container/wait/wait-for.ts'),
  ]);
  const watch = await watchFor(ctx, signal);
  let uncheckedError: HealthctlError | undefined;
  try {
    await startContainer(ctx, view);
    uncheckedError = await announceStart(world, ctx, view.record.id);
  } catch (error) {
    watch.stop();
    throw error;
  }
  return async (wish) => {
    if (uncheckedError) {
      watch.stop();
      throw uncheckedError;
    }
    const { untilUnchecked } = await import('./unchecked.ts');
    const over = new AbortController();
    const hasMonitor = () => refreshMonitor(world, view.record.id);
    const unchecked = untilUnchecked(ctx, view.record.id, AbortSignal.any([signal, over.signal]));
    try {
      const ready = waitReady(ctx, view, { signal, watch, hasMonitor, ...wish });
      await Promise.race([ready, unchecked.then(() => ready)]);
    } finally {
      over.abort();
      watch.stop();
    }
  };
}

/** Why a started container is not checked. */
async function announceStart(world: World, ctx: ContainerContext, id: string): Promise<HealthctlError | undefined> {
  try {
    await announceChange(world, ctx, id, { kind: 'started', isWaitedFor: true });
    return undefined;
  } catch (error) {
    if (!hasCode(error, 'UNAVAILABLE', 'CONFLICT')) throw error;
    return new HealthctlError(error.code, error.message, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      exitCode: 1,
    });
  }
}
