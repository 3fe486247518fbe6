import { volumesDirOf } from '../../lib/dirs.ts';
import { mountPointsOf, type StoredConfig } from '../../record/stored-config.ts';
import { noSuchVolume } from '../../volume/volume.ts';
import { readVolume } from '../../volume/volume-store.ts';
import type { ContainerContext } from '../context.ts';

/**
 * Before a start: the runtime would mount whatever the path of a volume leads to by now.
 *
 * @throws NOT_FOUND for a volume that is gone, CORRUPT where something else has its place
 */
export function refuseLostVolumes(ctx: Pick<ContainerContext, 'dirs' | 'containerd'>, config: StoredConfig): void {
  const root = volumesDirOf(ctx.dirs, ctx.containerd.namespace);
  for (const { Type, Name = '' } of mountPointsOf(config)) {
    if (Type === 'volume' && !readVolume(root, Name)) throw noSuchVolume(Name);
  }
}
