import type { ContainerContext } from '../container/context.ts';
import { resolveView } from '../container/resolve.ts';
import { type Dependency, waitForDependency } from '../container/wait/wait-dependency.ts';
import type { World } from '../world.ts';
import type { GivenDependency } from './flags/depends-on.ts';
import { ensureChecked, refreshMonitor } from './monitor/announce-change.ts';

/** Finds the containers that another one depends on. Throws NOT_FOUND, AMBIGUOUS. */
export function findDependencies(
  world: World,
  ctx: ContainerContext,
  given: readonly GivenDependency[],
): Promise<readonly Dependency[]> {
  return Promise.all(
    given.map(async ({ name, condition }) => ({ view: await resolveView(ctx, name, world), condition })),
  );
}

/** Waits for all of them at the same time. Throws the first failure: CONFLICT with compose's texts; ABORTED. */
export async function waitForDependencies(
  world: World,
  ctx: ContainerContext,
  dependencies: readonly Dependency[],
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([world.signal, over.signal]);
  const waits = dependencies.map(async (dependency) => {
    const { record } = dependency.view;
    if (dependency.condition === 'healthy') await ensureChecked(world, record);
    await waitForDependency(ctx, dependency, { signal, hasMonitor: () => refreshMonitor(world, record.id) });
  });
  try {
    await Promise.all(waits);
  } finally {
    over.abort();
    await Promise.allSettled(waits);
  }
}
