import { mkdirSync } from 'node:fs';
import { namespaceRunDir } from '../lib/dirs.ts';
import { cleanPath } from '../oci/paths.ts';
import type { SpecOptions } from '../oci/spec.ts';
import { danglingTarget } from '../system/dangling-path.ts';
import type { SnapshotMount } from '../system/rootfs.ts';
import type { ContainerContext } from './context.ts';

/**
 * The working directory, if the image has a dangling symbolic link there. Docker creates the link's target; runc
 * creates missing directories, but not through a link (`mkdir /link: file exists`). So the spec names the target
 * itself. Paths below a mount do not belong to the image.
 */
export function followedWorkingDir(
  ctx: ContainerContext,
  { workingDir, image, binds = [], tmpfs = [] }: Pick<SpecOptions, 'workingDir' | 'image' | 'binds' | 'tmpfs'>,
  mounts: readonly SnapshotMount[],
): Pick<SpecOptions, 'workingDir'> {
  const asked = workingDir || image.workingDir;
  if (!asked?.startsWith('/') || cleanPath(asked) === '/') return {};
  const path = cleanPath(asked);
  const isBelow = ({ destination }: { readonly destination: string }): boolean =>
    path === destination || path.startsWith(`${destination}/`);
  if ([...binds, ...tmpfs].some(isBelow)) return {};
  const parent = namespaceRunDir(ctx.dirs, ctx.containerd.namespace);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const target = danglingTarget(mounts, path, { parent });
  return target === undefined ? {} : { workingDir: target };
}
