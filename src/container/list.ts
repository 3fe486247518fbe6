import type { ShownHealth } from '../record/shown-health.ts';
import { type ContainerView, momentOf } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { readHealth } from './health.ts';
import { viewWithExit } from './view-with-exit.ts';

/** A row of `ps`. */
export interface ListedContainer {
  readonly view: ContainerView;
  readonly health: ShownHealth;
}

/**
 * All containers of the namespace, the newest first, with two calls to containerd, however many there are.
 *
 * @param options.keep filters containers before their health is read
 */
export async function listContainers(
  ctx: ContainerContext,
  options: { readonly keep?: (view: ContainerView) => boolean; readonly signal?: AbortSignal } = {},
): Promise<readonly ListedContainer[]> {
  const { keep = () => true, signal } = options;
  const call = signal ? { signal } : {};
  const [records, tasks] = await Promise.all([
    ctx.containerd.containers.list([], call),
    ctx.containerd.tasks.list(call),
  ]);
  const taskOf = new Map(tasks.map((task) => [task.containerId, task]));
  const moment = momentOf(ctx.clock);
  const views = await Promise.all(
    records.map((record) => viewWithExit(ctx, { record, task: taskOf.get(record.id), moment }, call)),
  );
  const wanted = views.filter(keep).sort((a, b) => b.record.createdAtMs - a.record.createdAtMs);
  return Promise.all(wanted.map(async (view) => ({ view, health: await readHealth(ctx, view) })));
}
