import { closeSync, constants, fstatSync, mkdtempSync, openSync, readSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HealthctlError, messageOf } from '../lib/errors.ts';
import { type MountCall, mount, unmount } from './mount.ts';
import { O_CLOEXEC, O_PATH, openAt } from './openat2.ts';

/**
 * A mount as containerd's snapshotters describe it, e.g. `{type: 'overlay', source: 'overlay', options:
 * ['lowerdir=/a:/b']}`.
 */
export interface SnapshotMount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface ReadOptions {
  /** The largest file to read. */
  readonly maxBytes: number;
  /** A directory of ours in which the mount directory is created and removed again. */
  readonly parent: string;
}

// uapi/linux/mount.h
const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const HARMLESS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

const { O_RDONLY, O_DIRECTORY, O_NONBLOCK } = constants;

/** Errors for a path that leads to no file of the image. */
const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'EXDEV']);

/** Mount options for mount(8) rather than the file system, or relevant only for writing. */
const NOT_FOR_READING =
  /^(ro|rw|r?bind|defaults|upperdir=.*|workdir=.*|lowerdir=.*|volatile|nosuid|suid|nodev|dev|noexec|exec)$/;

/**
 * Reads files of a container's root file system, which may come from a hostile image: symbolic links are followed only
 * inside that root, and only regular files are opened (a device, FIFO, socket or directory counts as absent:
 * undefined).
 *
 * The snapshot is mounted read-only, opened, and unmounted again before anything in it is read; all in one
 * synchronous turn, so that only a SIGKILL between two system calls could leave a mount. The snapshot's upper directory
 * is used as a lower one: while a container uses it the kernel allows that, and logs a warning.
 *
 * Throws INVALID for a file larger than `maxBytes`, DENIED without the privilege to mount, UNAVAILABLE if the mount
 * fails.
 */
export function readFilesInRoot(
  mounts: readonly SnapshotMount[],
  paths: readonly string[],
  options: ReadOptions,
): Map<string, Buffer | undefined> {
  try {
    return readFiles(mounts, paths, options);
  } catch (cause) {
    if (cause instanceof HealthctlError) throw cause;
    const message = `cannot read the container's root file system: ${messageOf(cause)}`;
    throw new HealthctlError(errnoOf(cause) === 'ENOSPC' ? 'EXHAUSTED' : 'UNAVAILABLE', message, { cause });
  }
}

function readFiles(
  mounts: readonly SnapshotMount[],
  paths: readonly string[],
  { maxBytes, parent }: ReadOptions,
): Map<string, Buffer | undefined> {
  const root = openRoot(mounts, parent);
  try {
    return new Map(paths.map((path) => [path, readFileInRoot({ root, path, maxBytes })]));
  } finally {
    closeSync(root);
  }
}

/**
 * Opens a directory of a container's root file system, under the same rules: symbolic links are followed only inside
 * that root. The descriptor stays valid after the unmount; read the directory below `/proc/self/fd/<it>`.
 *
 * @returns undefined if nothing is there, `other` if something else is; the caller closes a descriptor
 * @throws like readFilesInRoot
 */
export function openDirectoryInRoot(
  mounts: readonly SnapshotMount[],
  path: string,
  { parent }: Pick<ReadOptions, 'parent'>,
): number | 'other' | undefined {
  const root = openRoot(mounts, parent);
  try {
    const found = openInRoot(root, path);
    if (found === undefined || fstatSync(found).isDirectory()) return found;
    closeSync(found);
    return 'other';
  } finally {
    closeSync(root);
  }
}

/**
 * Reads a file from a process's view, with its mounts, under the same rules: undefined if it is absent or no regular
 * file, or if the process is gone. Throws INVALID for a file larger than `maxBytes`.
 */
export function readFileOfProcess(pid: number, path: string, maxBytes: number): Buffer | undefined {
  let root: number;
  try {
    root = openSync(`/proc/${pid}/root`, O_PATH | O_DIRECTORY | O_CLOEXEC);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined;
    throw error;
  }
  try {
    return readFileInRoot({ root, path, maxBytes });
  } finally {
    closeSync(root);
  }
}

/** A descriptor of the mounted root, which stays usable after the unmount; the caller closes it. */
export function openRoot(mounts: readonly SnapshotMount[], parent: string): number {
  const target = mkdtempSync(join(parent, '.rootfs-'));
  let mounted = 0;
  try {
    for (const snapshot of mounts) {
      mounted += mountSnapshot(snapshot, target);
    }
    return openSync(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
  } finally {
    for (; mounted > 0; mounted--) unmount(target);
    rmdirSync(target);
  }
}

/** Mounts read-only. @returns the number of mounts made: an error in the middle undoes its own. */
export function mountSnapshot(snapshot: SnapshotMount, target: string): number {
  if (snapshot.type === 'overlay') return mountOverlay(snapshot, target);
  const isBind = snapshot.type === 'bind' || snapshot.options.some((option) => option === 'bind' || option === 'rbind');
  if (isBind) return mountBind(snapshot.source, target);
  const data = snapshot.options.filter((option) => !NOT_FOR_READING.test(option)).join(',');
  return mountAt({ source: snapshot.source, target, type: snapshot.type, flags: HARMLESS, data });
}

function mountBind(source: string, target: string): number {
  const count = mountAt({ source, target, type: 'bind', flags: MS_BIND, data: '' });
  try {
    // The kernel accepts flags of a bind mount only in a second step.
    mountAt({ source, target, type: 'bind', flags: MS_BIND | MS_REMOUNT | HARMLESS, data: '' });
  } catch (error) {
    unmount(target);
    throw error;
  }
  return count;
}

/**
 * Layers are passed by descriptor: long lists of long paths would not fit into the page that mount(2) accepts, and
 * paths with `:` or `,` would need escaping.
 */
function mountOverlay(snapshot: SnapshotMount, target: string): number {
  const layers = layersOf(snapshot.options);
  const [only, ...further] = layers;
  if (only === undefined) throw new HealthctlError('CORRUPT', 'an overlay mount without layers');
  if (further.length === 0) return mountBind(only, target);
  return withOpened(layers, (paths) => {
    const data = [
      ...snapshot.options.filter((option) => !NOT_FOR_READING.test(option)),
      `lowerdir=${paths.join(':')}`,
    ].join(',');
    return mountAt({ source: 'overlay', target, type: 'overlay', flags: HARMLESS, data });
  });
}

/** Directories from top to bottom. */
function layersOf(options: readonly string[]): readonly string[] {
  const upper = upperOf(options);
  const lowers = (optionIn(options, 'lowerdir') ?? '').split(/(?<!\\):/).filter((layer) => layer !== '');
  return [...(upper === undefined ? [] : [upper]), ...lowers.map(withoutEscapes)];
}

const optionIn = (options: readonly string[], name: string): string | undefined =>
  options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);

const withoutEscapes = (layer: string): string => layer.replace(/\\(.)/g, '$1');

/** The directory into which an overlay mount writes; undefined if it is read-only. */
export function upperOf(options: readonly string[]): string | undefined {
  const upper = optionIn(options, 'upperdir');
  return upper === undefined ? undefined : withoutEscapes(upper);
}

/** The same overlay without what was written. */
export function belowUpper({ options, ...mount }: SnapshotMount): SnapshotMount {
  return { ...mount, options: options.filter((option) => !/^(upperdir|workdir)=/.test(option)) };
}

/** Like `mountSnapshot`, for writing: what is written goes into the snapshot's upper directory. */
export function mountSnapshotForWriting(snapshot: SnapshotMount, target: string): number {
  const flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (snapshot.type !== 'overlay') {
    const isBind = snapshot.type === 'bind' || snapshot.options.some((option) => /^r?bind$/.test(option));
    const data = snapshot.options.filter((option) => !NOT_FOR_READING.test(option)).join(',');
    const { source, type } = snapshot;
    return mountAt(
      isBind ? { source, target, type: 'bind', flags: MS_BIND, data: '' } : { source, target, type, flags, data },
    );
  }
  const layers = layersOf(snapshot.options);
  const isWritable = snapshot.options.some((option) => option.startsWith('upperdir='));
  const workdir = snapshot.options.find((option) => option.startsWith('workdir='));
  if (!isWritable || workdir === undefined) return mountSnapshot(snapshot, target);
  return withOpened([...layers, workdir.slice('workdir='.length)], (paths) => {
    const data = [
      ...snapshot.options.filter((option) => !NOT_FOR_READING.test(option)),
      `lowerdir=${paths.slice(1, -1).join(':')}`,
      `upperdir=${paths[0]}`,
      `workdir=${paths.at(-1)}`,
    ];
    return mountAt({ source: 'overlay', target, type: 'overlay', flags, data: data.join(',') });
  });
}

/** Calls `use` with paths of these directories that are short and need no escaping. */
function withOpened<T>(directories: readonly string[], use: (paths: readonly string[]) => T): T {
  const opened: number[] = [];
  try {
    for (const directory of directories) opened.push(openSync(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
    return use(opened.map((fd) => `/proc/self/fd/${fd}`));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** @returns the number of mounts made: one. */
function mountAt(call: MountCall): number {
  try {
    mount(call);
    return 1;
  } catch (error) {
    throw describeMountError(error, `${call.type} ${call.source}`);
  }
}

function describeMountError(cause: unknown, what: string): HealthctlError {
  const code = errnoOf(cause) === 'EPERM' || errnoOf(cause) === 'EACCES' ? 'DENIED' : 'UNAVAILABLE';
  return new HealthctlError(code, `cannot mount the container's root file system (${what}): ${messageOf(cause)}`, {
    cause,
    ...(code === 'DENIED' && { hint: 'mounting needs root (CAP_SYS_ADMIN)' }),
  });
}

/** A regular file of an open root, under the same rules: undefined if it is absent or something else. Throws INVALID. */
export const readFileIn = (root: number, path: string, maxBytes: number): Buffer | undefined =>
  readFileInRoot({ root, path, maxBytes });

interface FileInRoot {
  readonly root: number;
  readonly path: string;
  readonly maxBytes: number;
}

function readFileInRoot({ root, path, maxBytes }: FileInRoot): Buffer | undefined {
  const found = openInRoot(root, path);
  return found === undefined ? undefined : readAndClose(found, path, maxBytes);
}

/**
 * Files of an open root, under the same rules, without what is mounted below the root. Throws INVALID.
 *
 * @returns undefined if something is mounted on the way to one of them
 */
export function readFilesOfMount(
  root: number,
  paths: readonly string[],
  maxBytes: number,
): Map<string, Buffer | undefined> | undefined {
  const files = new Map<string, Buffer | undefined>();
  for (const path of paths) {
    const found = openInMount(root, path);
    if (found === 'other mount') return undefined;
    files.set(path, found === undefined ? undefined : readAndClose(found, path, maxBytes));
  }
  return files;
}

/** Checks before it opens: opening a device has effects (a watchdog starts), and a FIFO would block. */
function readAndClose(found: number, path: string, maxBytes: number): Buffer | undefined {
  try {
    if (!fstatSync(found).isFile()) return undefined;
    const file = openSync(`/proc/self/fd/${found}`, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    try {
      return readAtMost(file, path, maxBytes);
    } finally {
      closeSync(file);
    }
  } finally {
    closeSync(found);
  }
}

/** An O_PATH descriptor, or undefined if the path does not exist in the root. */
export function openInRoot(root: number, path: string): number | undefined {
  try {
    return openAt({ dir: root, path, resolution: 'in-root', flags: O_PATH });
  } catch (error) {
    return absentOrThrow(error, path);
  }
}

function openInMount(root: number, path: string): number | 'other mount' | undefined {
  try {
    return openAt({ dir: root, path, resolution: 'in-mount', flags: O_PATH });
  } catch (error) {
    return errnoOf(error) === 'EXDEV' ? 'other mount' : absentOrThrow(error, path);
  }
}

function absentOrThrow(error: unknown, path: string): undefined {
  const code = errnoOf(error) ?? '';
  if (NOT_THERE.has(code)) return undefined;
  throw new HealthctlError('UNAVAILABLE', `cannot read ${path} of the image: ${messageOf(error)}`, {
    cause: error,
    ...(code === 'ENOSYS' && { hint: 'Linux 5.6 or later is needed' }),
  });
}

function readAtMost(file: number, path: string, maxBytes: number): Buffer {
  const refusal = () => new HealthctlError('INVALID', `${path} of the container is larger than ${maxBytes} bytes`);
  if (fstatSync(file).size > maxBytes) throw refusal();
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(64 * 1024, maxBytes - total + 1));
    const count = readSync(file, chunk, 0, chunk.length, null);
    if (count === 0) return Buffer.concat(chunks, total);
    total += count;
    // It grew during the read, or reported a wrong size.
    if (total > maxBytes) throw refusal();
    chunks.push(chunk.subarray(0, count));
  }
}
