import { volumesDirOf } from '../../lib/dirs.ts';
import { mountPointsOf, type StoredConfig } from '../../record/stored-config.ts';
import { noSuchVolume } from '../../volume/volume.ts';
import { readVolume } from '../../volume/volume-store.ts';
import type { ContainerContext } from '../context.ts';

/**
 * Call it before a start: the runtime would mount whatever a volume's path now leads to.
 *
 * @throws NOT_FOUND for a missing volume, CORRUPT if something else has its path
 */
export function refuseLostVolumes(ctx: Pick<ContainerContext, 'dirs' | 'containerd'>, config: StoredConfig): void {
  const root = volumesDirOf(ctx.dirs, ctx.containerd.namespace);
  for (const { Type, Name = '' } of mountPointsOf(config)) {
    if (Type === 'volume' && !readVolume(root, Name)) throw noSuchVolume(Name);
  }
}
