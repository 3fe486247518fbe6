import { closeSync, mkdirSync } from 'node:fs';
import { namespaceRunDir } from '../../lib/dirs.ts';
import { specOf } from '../../record/details.ts';
import type { ContainerView } from '../../record/view.ts';
import { packTree } from '../../system/tar/pack.ts';
import { type TreeChange, treeChanges } from '../../system/tree-changes.ts';
import type { ContainerContext } from '../context.ts';
import { tellAction } from '../tell-action.ts';
import { begun } from './archive.ts';
import { openContainerRoot } from './container-root.ts';

type FilesContext = Pick<ContainerContext, 'containerd' | 'clock' | 'dirs' | 'log'>;

/** What a container has changed in its own file system, without mount points. Throws INVALID, like treeChanges. */
export async function containerChanges(
  ctx: FilesContext,
  view: ContainerView,
  signal?: AbortSignal,
): Promise<readonly TreeChange[]> {
  const { snapshotter, snapshotKey: key } = view.record;
  const mounts = await ctx.containerd.snapshots.mounts({ snapshotter, key }, signal ? { signal } : {});
  const parent = namespaceRunDir(ctx.dirs, ctx.containerd.namespace);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  return treeChanges({ mounts, mountPoints: new Set(mountPointsOf(view)), parent, signal });
}

/**
 * A container's file system as a tar archive, running or not, with empty files and directories where something is
 * mounted. Read it to its end, or call its `return`.
 */
export async function exportContainer(
  ctx: FilesContext,
  view: ContainerView,
  signal: AbortSignal,
): Promise<AsyncIterableIterator<Buffer>> {
  const root = await openContainerRoot(ctx, view, { isWritable: false, hasBinds: false, signal });
  const leaves = new Set(mountPointsOf(view).map((path) => path.slice(1)));
  const content = await begun(packAndClose(root, leaves, signal));
  await tellAction(ctx, { id: view.record.id, action: 'export' });
  return content;
}

async function* packAndClose(root: number, leaves: ReadonlySet<string>, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* packTree({ dir: root, name: undefined, shownAs: Buffer.alloc(0), leaves, signal });
  } finally {
    closeSync(root);
  }
}

const mountPointsOf = ({ record }: ContainerView): readonly string[] =>
  (specOf(record)?.mounts ?? []).map(({ destination }) => destination.replace(/(?<=.)\/+$/, ''));
