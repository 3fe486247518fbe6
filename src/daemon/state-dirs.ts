import { existsSync } from 'node:fs';
import type { ContainerContext } from '../container/context.ts';
import type { ContainerRecord } from '../containerd/containers.ts';
import { runDirOf } from '../lib/dirs.ts';
import { messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { makeOwnDirectory } from '../system/own-file.ts';

/**
 * Recreates the state directories below the run root that a reboot removed: they are on a tmpfs, while the labels that
 * name them stay. nerdctl's `inspect` of a checked container fails without its directory.
 */
export function restoreStateDirs(
  {
    containerd,
    dirs,
    log,
  }: Pick<ContainerContext, 'dirs' | 'log'> & {
    readonly containerd: Pick<ContainerContext['containerd'], 'namespace'>;
  },
  records: readonly Pick<ContainerRecord, 'id' | 'labels'>[],
): void {
  for (const { id, labels } of records) {
    if (labels[LABELS.nerdctlHealthstate] === undefined) continue;
    const path = runDirOf(dirs, { namespace: containerd.namespace, id });
    if (labels[LABELS.stateDir] !== path || existsSync(path)) continue;
    try {
      makeOwnDirectory(path, dirs);
    } catch (error) {
      log.warn(`${path} could not be made: ${messageOf(error)}`);
    }
  }
}
