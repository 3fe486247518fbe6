import type { ContainerContext } from './context.ts';
import { withExitNote } from './exit-note.ts';
import { readHealth, type ShownHealth } from './health.ts';
import { type ContainerView, momentOf, viewOf } from './view.ts';

/** A row of `ps`. */
export interface ListedContainer {
  readonly view: ContainerView;
  readonly health: ShownHealth;
}

/**
 * All containers of the namespace, the newest first. Two calls to containerd, however many there are.
 *
 * @param options.keep which of them are wanted, asked before their health is read
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
  const place = { dirs: ctx.dirs, namespace: ctx.containerd.namespace };
  const views = records
    .map((record) => withExitNote(place, viewOf(record, taskOf.get(record.id), moment)))
    .filter(keep)
    .sort((a, b) => b.record.createdAtMs - a.record.createdAtMs);
  return Promise.all(views.map(async (view) => ({ view, health: await readHealth(ctx, view) })));
}
