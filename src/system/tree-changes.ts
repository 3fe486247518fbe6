import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import { O_CLOEXEC, O_PATH, openAt, pathBelow } from './openat2.ts';
import { belowUpper, openRoot, type SnapshotMount, upperOf } from './rootfs.ts';
import { readXattr } from './xattr.ts';

/** A change of a path, absolute in the container. */
export interface TreeChange {
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}

export interface ChangesRequest {
  readonly mounts: readonly SnapshotMount[];
  /** Absolute paths at which something is mounted: what the runtime made for that is no change. */
  readonly mountPoints: ReadonlySet<string>;
  /** A directory of ours in which a mount directory is created and removed again. */
  readonly parent: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What was written into a container's file system since its creation, in the order of Docker's: from the upper directory
 * of its overlay, in which a device 0:0 stands for something deleted, and an attribute for a directory that was made
 * anew (moby: pkg/archive/changes.go).
 *
 * @throws INVALID for a snapshotter that does not keep changes apart; ABORTED; like openRoot
 */
export async function treeChanges(request: ChangesRequest): Promise<readonly TreeChange[]> {
  const { mounts, mountPoints, parent, signal } = request;
  const [mount, ...others] = mounts;
  const upper = mount && others.length === 0 ? upperDirectory(mount) : undefined;
  if (!mount || upper === undefined)
    throw new HealthctlError('INVALID', 'the snapshotter of this container does not keep its changes apart');
  const flags = O_PATH | constants.O_DIRECTORY | O_CLOEXEC;
  const top = openSync(upper, flags);
  let lower: number | undefined;
  try {
    if (mount.type === 'overlay') lower = openRoot([belowUpper(mount)], parent);
    const found = await changesBelow({ top, lower, mountPoints, signal }, Buffer.alloc(0));
    return found.changes;
  } finally {
    closeSync(top);
    if (lower !== undefined) closeSync(lower);
  }
}

/** A container of an image without layers has a directory instead of an overlay. */
function upperDirectory({ type, source, options }: SnapshotMount): string | undefined {
  if (type === 'overlay') return upperOf(options);
  return type === 'bind' && !options.includes('ro') ? source : undefined;
}

interface Comparison {
  readonly top: number;
  /** Undefined if there is nothing below. */
  readonly lower: number | undefined;
  readonly mountPoints: ReadonlySet<string>;
  readonly signal: AbortSignal | undefined;
}

interface Found {
  readonly changes: readonly TreeChange[];
  /** Whether anything was added or deleted in the directory itself. */
  readonly isTouched: boolean;
  /** Whether a mount point was left out. */
  readonly hasMountPoint: boolean;
}

const SLASH = Buffer.from('/');

/** @param path from the top; empty for itself */
async function changesBelow(comparison: Comparison, path: Buffer): Promise<Found> {
  const { top, signal } = comparison;
  if (signal?.aborted) throw new HealthctlError('ABORTED', 'the comparison was cancelled');
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const dir = openAt({ dir: top, path: path.length === 0 ? '.' : path, resolution: 'no-links', flags });
  const changes: TreeChange[] = [];
  let isTouched = false;
  let hasMountPoint = false;
  try {
    const names = await readdir(`/proc/self/fd/${dir}`, { encoding: 'buffer' });
    for (const name of names.sort(Buffer.compare)) {
      const below = path.length === 0 ? name : Buffer.concat([path, SLASH, name]);
      const found = await changesOf(comparison, { dir, name, path: below });
      if (found === 'mount point') hasMountPoint = true;
      else changes.push(...found);
      const [own] = found === 'mount point' ? [] : found;
      if (own && own.kind !== 'modified' && own.path === shown(below)) isTouched = true;
    }
  } finally {
    closeSync(dir);
  }
  return { changes, isTouched, hasMountPoint };
}

const shown = (path: Buffer): string => `/${path.toString()}`;

interface Entry {
  /** Descriptor of its directory. */
  readonly dir: number;
  readonly name: Buffer;
  readonly path: Buffer;
}

/** The change of an entry, and those below it. */
async function changesOf(comparison: Comparison, entry: Entry): Promise<readonly TreeChange[] | 'mount point'> {
  const at = pathBelow(entry.dir, entry.name);
  const stats = await statIfThere(at);
  if (!stats) return []; // gone since
  const path = shown(entry.path);
  if (stats.isCharacterDevice() && stats.rdev === 0n) return [{ path, kind: 'deleted' }];
  const before = lowerStats(comparison.lower, entry.path);
  if (!before && comparison.mountPoints.has(path)) return 'mount point';
  const kind = before ? 'modified' : 'added';
  if (!stats.isDirectory()) return [{ path, kind }];
  const isAnew = readXattr(at, 'trusted.overlay.opaque')?.toString() === 'y';
  const { changes, isTouched, hasMountPoint } = await changesBelow(comparison, entry.path);
  const isOnlyForMounts = hasMountPoint && changes.length === 0 && (!before || hasSameRights(stats, before));
  if (isOnlyForMounts) return before ? [] : 'mount point';
  if (before && !isAnew && !isTouched && isSameDirectory(stats, before)) return changes;
  return [{ path, kind: isAnew ? 'deleted' : kind }, ...changes];
}

async function statIfThere(path: Buffer): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function lowerStats(lower: number | undefined, path: Buffer): BigIntStats | undefined {
  if (lower === undefined) return undefined;
  let fd: number;
  try {
    fd = openAt({ dir: lower, path, resolution: 'no-links', flags: O_PATH | constants.O_NOFOLLOW });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
  try {
    return fstatSync(fd, { bigint: true });
  } finally {
    closeSync(fd);
  }
}

const hasSameRights = (one: BigIntStats, other: BigIntStats): boolean =>
  one.mode === other.mode && one.uid === other.uid && one.gid === other.gid;

/** A directory is copied up unchanged when something in it changes. */
const isSameDirectory = (one: BigIntStats, other: BigIntStats): boolean =>
  other.isDirectory() && one.mode === other.mode && one.size === other.size && one.mtimeNs === other.mtimeNs;
