import { closeSync, constants, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processOfRun } from '../../health/state.ts';
import { namespaceRunDir } from '../../lib/dirs.ts';
import { specOf } from '../../record/details.ts';
import { type ContainerView, refuseUnknown } from '../../record/view.ts';
import { lockFile } from '../../system/flock.ts';
import { readStat } from '../../system/proc.ts';
import { type BindMount, openProcessRoot, openRootView } from '../../system/root-view.ts';
import type { ContainerContext } from '../context.ts';

type RootContext = Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>;

export interface RootOptions {
  readonly isWritable: boolean;
  /** Whether volumes and host paths are in their places, of one that does not run; default true. */
  readonly hasBinds?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the files of a container: of a running one as its processes see them, of another one its snapshot with its
 * volumes. The caller closes the descriptor, which names the root directory.
 *
 * @throws UNKNOWN if its shim does not answer; DENIED, UNAVAILABLE
 */
export async function openContainerRoot(ctx: RootContext, view: ContainerView, options: RootOptions): Promise<number> {
  refuseUnknown(view);
  const running = openRootOfRun(view);
  if (running !== undefined) return running;
  const { snapshotter, snapshotKey: key } = view.record;
  const { signal, hasBinds = true } = options;
  const mounts = await ctx.containerd.snapshots.mounts({ snapshotter, key }, signal ? { signal } : {});
  const parent = namespaceRunDir(ctx.dirs, ctx.containerd.namespace);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  return openRootView(mounts, { parent, binds: hasBinds ? bindsOf(view) : [], isWritable: options.isWritable });
}

/** The files of a container as its processes see them; undefined if it does not run, also if it ended since. */
export function openRootOfRun({ taskView, state }: Pick<ContainerView, 'taskView' | 'state'>): number | undefined {
  if ((state !== 'running' && state !== 'paused') || !('run' in taskView) || !taskView.run) return undefined;
  const main = processOfRun(taskView.run.id);
  const root = main && openProcessRoot(main.pid);
  if (main === undefined || root === undefined) return undefined;
  // The pid may have been used again before it was opened.
  if (readStat(main.pid)?.startTimeTicks === main.startTimeTicks) return root;
  closeSync(root);
  return undefined;
}

function bindsOf({ record }: ContainerView): readonly BindMount[] {
  return (specOf(record)?.mounts ?? []).flatMap(({ type, source, destination, options = [] }) => {
    const isBind = type === 'bind' || options.some((option) => option === 'bind' || option === 'rbind');
    if (!isBind || source === undefined) return [];
    return [{ source, destination, readOnly: options.includes('ro') || options.includes('rro') }];
  });
}

/** Runs `work` while no other process of ours writes into this container: two mounts must not share a directory. */
export async function withCopyLock<T>(
  ctx: RootContext,
  { id, signal }: { readonly id: string; readonly signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  const parent = namespaceRunDir(ctx.dirs, ctx.containerd.namespace);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const path = join(parent, `.copy-${id}.lock`);
  const flags = constants.O_RDWR | constants.O_CREAT;
  const lock = await lockFile({ path, flags, timeoutMs: Number.POSITIVE_INFINITY, signal }, ctx.clock);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
    lock.release();
  }
}
