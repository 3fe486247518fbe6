import { closeSync, existsSync, fstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { namespaceRunDir, volumesDirOf } from '../../lib/dirs.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { mountPointsOf, type StoredConfig } from '../../record/stored-config.ts';
import { replaceFile } from '../../system/atomic-write.ts';
import { inHostMounts } from '../../system/host-mounts.ts';
import { mount, unmountIfMounted } from '../../system/mount.ts';
import { directoryOf } from '../../volume/fill.ts';
import { openPart } from '../../volume/part.ts';
import { noSuchVolume } from '../../volume/volume.ts';
import { readVolume } from '../../volume/volume-store.ts';
import type { ContainerContext } from '../context.ts';

type PartContext = Pick<ContainerContext, 'dirs' | 'containerd'>;

// uapi/linux/mount.h
const MS_BIND = 4096;

const directoryOfParts = ({ dirs, containerd }: PartContext, id: string): string =>
  join(namespaceRunDir(dirs, containerd.namespace), `.parts-${id}`);

/** Where a part of a volume is mounted on the host while the runtime makes the mounts of a container. */
export const partPathOf = (ctx: PartContext, id: string, destination: string): string =>
  join(directoryOfParts(ctx, id), sha256Hex(destination).slice(0, 16));

/**
 * Mounts the parts of volumes that a container uses (`Subpath`) while `work` makes its task. A part is found in the
 * volume once, so that a link there cannot lead the runtime elsewhere.
 *
 * @throws NOT_FOUND and INVALID like openPart
 */
export async function withParts<T>(
  ctx: PartContext,
  { id, config }: { readonly id: string; readonly config: StoredConfig | undefined },
  work: () => Promise<T>,
): Promise<T> {
  const parts = Object.entries(config?.VolumeParts ?? {});
  if (!config || parts.length === 0) return work();
  releaseParts(ctx, id);
  try {
    mkdirSync(directoryOfParts(ctx, id), { recursive: true, mode: 0o700 });
    inHostMounts(ctx.containerd.address, () => {
      for (const [destination, part] of parts) mountPart(ctx, config, { id, destination, part });
    });
    return await work();
  } finally {
    releaseParts(ctx, id);
  }
}

function mountPart(
  ctx: PartContext,
  config: StoredConfig,
  { id, destination, part }: { readonly id: string; readonly destination: string; readonly part: string },
): void {
  const name = mountPointsOf(config).find((one) => one.Destination === destination)?.Name ?? '';
  const volume = readVolume(volumesDirOf(ctx.dirs, ctx.containerd.namespace), name);
  const base = volume && directoryOf(volume);
  if (base === undefined) throw noSuchVolume(name);
  const found = openPart(base, part);
  try {
    const target = partPathOf(ctx, id, destination);
    if (fstatSync(found).isDirectory()) mkdirSync(target, { mode: 0o700 });
    else replaceFile(target, '');
    mount({ source: `/proc/self/fd/${found}`, target, type: 'none', flags: MS_BIND, data: '' });
  } finally {
    closeSync(found);
  }
}

/** Unmounts what an interrupted start left. Containers that use it keep it. */
export function releaseParts(ctx: PartContext, id: string): void {
  const directory = directoryOfParts(ctx, id);
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const target = join(directory, entry.name);
    inHostMounts(ctx.containerd.address, () => {
      while (unmountIfMounted(target));
    });
  }
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const target = join(directory, entry.name);
    if (entry.isDirectory()) rmdirSync(target);
    else unlinkSync(target);
  }
  rmdirSync(directory);
}
