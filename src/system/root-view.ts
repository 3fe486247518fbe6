import { closeSync, constants, fstatSync, mkdirSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HealthctlError, messageOf } from '../lib/errors.ts';
import { openLibc, systemError } from './libc.ts';
import { mount, unmount } from './mount.ts';
import { O_CLOEXEC, O_PATH, openAt, pathBelow } from './openat2.ts';
import { mountSnapshot, mountSnapshotForWriting, openInRoot, type SnapshotMount } from './rootfs.ts';

/** A host directory or file in a container. */
export interface BindMount {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
}

export interface RootViewOptions {
  /** A directory of ours in which the mount directory is created and removed again. */
  readonly parent: string;
  readonly binds: readonly BindMount[];
  /** The container's own file system. Read-only binds stay so. */
  readonly isWritable: boolean;
}

// uapi/linux/mount.h
const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_PRIVATE = 1 << 18;
const RESTRICTED = MS_NOSUID | MS_NODEV | MS_NOEXEC;
const SYS_OPEN_TREE = 428;
const AT_FDCWD = -100;
const OPEN_TREE_CLONE = 1;
const AT_RECURSIVE = 0x8000;

/**
 * A container's files as its processes would see them, of a container that does not run: its snapshot with volumes and
 * host paths in their places. Nothing stays mounted in any mount namespace: the tree exists as long as the descriptor.
 *
 * Made in one synchronous turn, so that only a SIGKILL between two system calls could leave a mount. A bind whose
 * source is gone is left out.
 *
 * @returns an O_PATH descriptor of the root; the caller closes it
 * @throws DENIED without the privilege to mount, UNAVAILABLE if a mount fails, EXHAUSTED without space
 */
export function openRootView(mounts: readonly SnapshotMount[], options: RootViewOptions): number {
  try {
    return openView(mounts, options);
  } catch (cause) {
    if (cause instanceof HealthctlError) throw cause;
    const message = `cannot open the container's root file system: ${messageOf(cause)}`;
    throw new HealthctlError(errnoOf(cause) === 'ENOSPC' ? 'EXHAUSTED' : 'UNAVAILABLE', message, { cause });
  }
}

function openView(mounts: readonly SnapshotMount[], { parent, binds, isWritable }: RootViewOptions): number {
  const target = mkdtempSync(join(parent, '.rootfs-'));
  let mounted = 0;
  try {
    for (const snapshot of mounts) {
      mounted += isWritable ? mountSnapshotForWriting(snapshot, target) : mountSnapshot(snapshot, target);
      // A mount in it must not appear in another namespace, nor in the volume itself.
      mount({ source: 'none', target, type: '', flags: MS_PRIVATE, data: '' });
    }
    mountBinds(target, binds, isWritable);
    return cloneTree(target);
  } finally {
    for (; mounted > 0; mounted--) unmount(target);
    rmdirSync(target);
  }
}

const depthOf = ({ destination }: BindMount): number => destination.split('/').filter(Boolean).length;

function mountBinds(target: string, binds: readonly BindMount[], isWritable: boolean): void {
  for (const bind of [...binds].sort((a, b) => depthOf(a) - depthOf(b))) {
    // Opened again for each: the descriptor of a directory does not see what is mounted on it later.
    const root = openSync(target, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
    try {
      mountBind(root, bind, isWritable);
    } finally {
      closeSync(root);
    }
  }
}

function mountBind(root: number, bind: BindMount, isWritable: boolean): void {
  let source: number;
  try {
    source = openSync(bind.source, O_PATH | O_CLOEXEC);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return;
    throw error;
  }
  let place: number | undefined;
  try {
    const isDirectory = fstatSync(source).isDirectory();
    place =
      openInRoot(root, bind.destination) ?? (isWritable ? makePlace(root, bind.destination, isDirectory) : undefined);
    if (place === undefined || fstatSync(place).isDirectory() !== isDirectory) return;
    const target = `/proc/self/fd/${place}`;
    mount({ source: `/proc/self/fd/${source}`, target, type: '', flags: MS_BIND | MS_REC, data: '' });
    const mounted = openInRoot(root, bind.destination);
    if (mounted === undefined) return;
    try {
      const top = `/proc/self/fd/${mounted}`;
      mount({ source: 'none', target: top, type: '', flags: MS_REC | MS_PRIVATE, data: '' });
      if (!bind.readOnly) return;
      const flags = MS_BIND | MS_REMOUNT | MS_RDONLY | RESTRICTED;
      mount({ source: 'none', target: top, type: '', flags, data: '' });
    } finally {
      closeSync(mounted);
    }
  } finally {
    closeSync(source);
    if (place !== undefined) closeSync(place);
  }
}

/** Makes what the runtime makes at the start: the directories, and an empty file for a file. */
function makePlace(root: number, destination: string, isDirectory: boolean): number | undefined {
  const names = destination.split('/').filter((name) => name !== '' && name !== '.');
  for (let length = 1; length <= names.length; length++) {
    const path = `/${names.slice(0, length).join('/')}`;
    const found = openInRoot(root, path);
    if (found !== undefined) {
      closeSync(found);
      continue;
    }
    const directory = openInRoot(root, `/${names.slice(0, length - 1).join('/')}`);
    if (directory === undefined) return undefined;
    try {
      const name = pathBelow(directory, names[length - 1] ?? '');
      if (length < names.length || isDirectory) mkdirSync(name, { mode: 0o755 });
      else closeSync(openSync(name, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o644));
    } catch (error) {
      // A link that leads nowhere, or a file in place of a directory: the start will say so.
      if (errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw error;
    } finally {
      closeSync(directory);
    }
  }
  return openInRoot(root, destination);
}

/** The mounts below a path as a tree that is attached nowhere. */
function cloneTree(path: string): number {
  const libc = openLibc();
  const openTree = libc.func('long syscall(long number, int dir, const char *path, unsigned int flags)');
  const fd = openTree(SYS_OPEN_TREE, AT_FDCWD, path, OPEN_TREE_CLONE | O_CLOEXEC | AT_RECURSIVE);
  if (fd < 0) throw systemError(libc, 'open_tree', path);
  return fd;
}

/** The root of a running process, with its mounts; undefined if the process is gone. The caller closes it. */
export function openProcessRoot(pid: number): number | undefined {
  try {
    return openAtRootOf(pid);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

const openAtRootOf = (pid: number): number => openSync(`/proc/${pid}/root`, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);

/** Opens a directory of a root for reading its entries, with links in its path followed inside of the root. */
export const openDirectory = (root: number, path: string | Buffer): number =>
  openAt({ dir: root, path, resolution: 'in-root', flags: constants.O_RDONLY | constants.O_DIRECTORY });
