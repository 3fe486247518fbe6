import { closeSync, fchmodSync, fstatSync } from 'node:fs';
import type { ContainerRecord } from '../containerd/containers.ts';
import { isCount, isObject, isText, objectOf, oneOf, textMapIn } from '../lib/shape.ts';
import { type StoredConfig, storedConfigOf } from '../record/stored-config.ts';
import { openDirectory, openProcessRoot } from '../system/root-view.ts';

const PERMISSIONS = 0o7777;

/**
 * Gives the tmpfs mounts of a container, whose process waits for its start, the modes that were asked for. runc before
 * 1.1.8 gives them the mode of the directory below where there is one: of the image, or its own of the first start.
 */
export function setTmpfsModes(record: Pick<ContainerRecord, 'extensionJson'>, pid: number): void {
  const config = storedConfigOf(record);
  const modes = config ? modesOf(config) : new Map<string, number>();
  if (modes.size === 0) return;
  const root = openProcessRoot(pid);
  if (root === undefined) return;
  try {
    for (const [destination, mode] of modes) setMode(root, destination, mode);
  } finally {
    closeSync(root);
  }
}

function setMode(root: number, destination: string, mode: number): void {
  const directory = openDirectory(root, destination);
  try {
    if ((fstatSync(directory).mode & PERMISSIONS) !== mode) fchmodSync(directory, mode);
  } finally {
    closeSync(directory);
  }
}

const isTmpfsWithMode = objectOf({
  Type: oneOf(['tmpfs']),
  Target: isText,
  TmpfsOptions: objectOf({ Mode: isCount }),
});

/** Of `--tmpfs` and `--mount`, by destination. A read-only one keeps the mode that it has. */
function modesOf({ HostConfig: { Tmpfs, Mounts } }: StoredConfig): ReadonlyMap<string, number> {
  const modes = new Map<string, number>();
  for (const [destination, options] of Object.entries(isObject(Tmpfs) ? textMapIn(Tmpfs) : {})) {
    const words = options.split(',');
    const mode = words.map((word) => /^mode=([0-7]+)$/.exec(word)?.[1]).find((digits) => digits !== undefined);
    if (mode !== undefined && !words.includes('ro')) modes.set(destination, Number.parseInt(mode, 8) & PERMISSIONS);
  }
  for (const mount of Array.isArray(Mounts) ? Mounts : [])
    if (isTmpfsWithMode(mount) && !isReadOnly(mount)) modes.set(mount.Target, mount.TmpfsOptions.Mode & PERMISSIONS);
  return modes;
}

const isReadOnly = (mount: object): boolean => 'ReadOnly' in mount && mount.ReadOnly === true;
