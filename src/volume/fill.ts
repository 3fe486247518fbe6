import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
} from 'node:fs';
import { chmod, lchown, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../lib/errors.ts';
import { noSpaceError } from '../system/atomic-write.ts';
import { copyTree } from './copy-tree.ts';
import { openPart } from './part.ts';
import type { Volume } from './volume.ts';
import { contentOf } from './volume-options.ts';
import type { HeldVolume } from './volume-store.ts';

/*
 * A copy is made beside the content and moved into it when it is complete: `.copying` while it is made, `.copied` from
 * then on. A process that dies leaves one or the other; the next one discards the first, and finishes the second. The
 * content directory itself is never replaced, because a container may have mounted it.
 */
const COPYING = '.copying';
const COPIED = '.copied';

export interface FillRequest {
  /** Descriptor of the image's directory; it is not closed. */
  readonly from: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finishes the work of a process that died: moves a complete copy in, and discards an incomplete one. Call it before a
 * volume is used.
 *
 * @returns whether the volume is empty, so that an image's files may be copied into it
 */
export async function recoverVolume(held: HeldVolume): Promise<boolean> {
  await rm(join(held.directory, COPYING), { recursive: true, force: true });
  await moveIn(held);
  const content = directoryOf(held.volume);
  return content !== undefined && lstatSync(content, { throwIfNoEntry: false })?.isDirectory() === true
    ? readdirSync(content).length === 0
    : false;
}

/**
 * Copies a directory of an image into an empty volume, with the owner and mode of the directory itself; see copyTree
 * for what is copied. If it fails, the volume stays empty.
 *
 * @returns the number of skipped entries
 * @throws EXHAUSTED without space, ABORTED, file system errors
 */
export async function fillVolume(held: HeldVolume, { from, signal }: FillRequest): Promise<number> {
  const copying = join(held.directory, COPYING);
  if (!isOnDisk(held.volume)) return fillDirectly(directoryOf(held.volume) ?? '', { from, signal });
  try {
    mkdirSync(copying, { mode: 0o700 });
    const leftOut = await copyTree({ from: `/proc/self/fd/${from}`, to: copying, signal });
    const { uid, gid, mode } = fstatSync(from);
    await lchown(copying, uid, gid);
    await chmod(copying, mode & 0o7777);
    renameSync(copying, join(held.directory, COPIED));
    await moveIn(held);
    return leftOut;
  } catch (error) {
    await rm(copying, { recursive: true, force: true });
    throw noSpaceError(error, held.directory);
  }
}

/** Like fillVolume, for a part of a volume; only if that is an empty directory. */
export async function fillPart(
  { volume }: HeldVolume,
  { part, from, signal }: FillRequest & { readonly part: string },
): Promise<number> {
  const base = directoryOf(volume);
  const into = base === undefined ? undefined : findPart(base, part);
  if (into === undefined) return 0;
  const directory = `/proc/self/fd/${into}/.`;
  try {
    if (!fstatSync(into).isDirectory() || readdirSync(directory).length > 0) return 0;
    return await fillDirectly(directory, { from, signal });
  } finally {
    closeSync(into);
  }
}

function findPart(base: string, part: string): number | undefined {
  try {
    return openPart(base, part);
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return undefined; // the start says so
    throw error;
  }
}

/** The directory of its content; undefined if a runtime mounts it for each container. */
export function directoryOf({ options, mountpoint }: Volume): string | undefined {
  const content = contentOf(options);
  if (content.kind === 'own') return mountpoint;
  return content.kind === 'host' ? content.path : undefined;
}

/** Whether the content is on the file system of the directory of the volume. */
function isOnDisk({ options }: Volume): boolean {
  const content = contentOf(options);
  return content.kind === 'own' && !content.isInMemory;
}

/** Into another file system nothing can be moved: what a process that dies leaves is there. */
async function fillDirectly(directory: string, { from, signal }: FillRequest): Promise<number> {
  const leftOut = await copyTree({ from: `/proc/self/fd/${from}`, to: directory, signal });
  const { uid, gid, mode } = fstatSync(from);
  await lchown(directory, uid, gid);
  await chmod(directory, mode & 0o7777);
  return leftOut;
}

/** Moves a complete copy into the content. Files created there meanwhile, by a container with the volume, stay. */
async function moveIn({ volume, directory }: HeldVolume): Promise<void> {
  const copied = join(directory, COPIED);
  const stat = lstatSync(copied, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return;
  const content = openSync(volume.mountpoint, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchownSync(content, stat.uid, stat.gid);
    fchmodSync(content, stat.mode & 0o7777);
    // Names are bytes: they need not be UTF-8.
    for (const name of readdirSync(copied, { encoding: 'buffer' })) {
      const to = Buffer.concat([Buffer.from(`/proc/self/fd/${content}/`), name]);
      const isTaken = lstatSync(to, { throwIfNoEntry: false }) !== undefined;
      if (!isTaken) renameSync(Buffer.concat([Buffer.from(`${copied}/`), name]), to);
    }
  } finally {
    closeSync(content);
  }
  await rm(copied, { recursive: true, force: true });
}
