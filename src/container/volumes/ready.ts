import { lstatSync } from 'node:fs';
import { volumesDirOf } from '../../lib/dirs.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { mountPointsOf, type StoredConfig } from '../../record/stored-config.ts';
import { inHostMounts } from '../../system/host-mounts.ts';
import { mount } from '../../system/mount.ts';
import { noSuchVolume, type Volume } from '../../volume/volume.ts';
import { contentOf, isInMemory, mountFlagsOf } from '../../volume/volume-options.ts';
import { holdVolume, readVolume } from '../../volume/volume-store.ts';
import type { ContainerContext } from '../context.ts';

/**
 * Makes volumes ready for a start: mounts those in memory, which are gone after a reboot. The runtime would mount
 * whatever a volume's path now leads to.
 *
 * @throws NOT_FOUND for a missing volume, CORRUPT if something else has its path; RUNTIME with Docker's text for a
 *   missing directory of the host, system errors of mount(2)
 */
export async function readyVolumes(
  { dirs, containerd, clock }: Pick<ContainerContext, 'dirs' | 'containerd' | 'clock'>,
  config: StoredConfig,
): Promise<void> {
  const root = volumesDirOf(dirs, containerd.namespace);
  for (const { Type, Name = '' } of mountPointsOf(config)) {
    if (Type !== 'volume') continue;
    const volume = readVolume(root, Name);
    if (!volume) throw noSuchVolume(Name);
    const content = contentOf(volume.options);
    if (content.kind === 'host') refuseLost(volume, content);
    if (!isInMemory(volume.options)) continue;
    const held = await holdVolume({ root, clock, address: containerd.address }, Name);
    if (!held) throw noSuchVolume(Name);
    try {
      mountMemory(held.volume, containerd.address);
    } finally {
      held.release();
    }
  }
}

/**
 * Mounts the content of a locked volume, if it is in memory and not yet there. Throws system errors.
 *
 * @param address of containerd: see inHostMounts
 */
export function mountMemory({ options, mountpoint }: Volume, address: string): void {
  if (!isInMemory(options)) return;
  const { device: source = '' } = options;
  inHostMounts(address, () => {
    const isMounted = lstatSync(mountpoint).dev !== lstatSync(`${mountpoint}/..`).dev;
    if (!isMounted) mount({ source, target: mountpoint, type: 'tmpfs', ...mountFlagsOf(options) });
  });
}

// uapi/linux/mount.h
const MS_RDONLY = 1;
const MS_BIND = 4096;
const MS_REC = 16384;

function refuseLost(
  { mountpoint }: Volume,
  { path, readOnly, isRecursive }: { readonly path: string; readonly readOnly: boolean; readonly isRecursive: boolean },
): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  const flags = MS_BIND | (isRecursive ? MS_REC : 0) | (readOnly ? MS_RDONLY : 0);
  throw new HealthctlError(
    'RUNTIME',
    `error while mounting volume '${mountpoint}': failed to mount local volume: mount ${path}:${mountpoint}, flags: 0x${flags.toString(16)}: no such file or directory`,
  );
}
