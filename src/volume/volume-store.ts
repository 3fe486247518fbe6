import { constants, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import { noSpaceError, replaceFile } from '../system/atomic-write.ts';
import { lockFile } from '../system/flock.ts';
import { inHostMounts } from '../system/host-mounts.ts';
import { unmountIfMounted } from '../system/mount.ts';
import { inspectOwnFile, removeOwn } from '../system/own-file.ts';
import { parseVolumeJson, type Volume, volumeJson } from './volume.ts';
import type { VolumeOptions } from './volume-options.ts';

/*
 * A volume is a directory of its name: `volume.json` proves that it exists, and describes it; `_data` is its content.
 * The directory itself is the lock, held by a process that creates, fills or removes the volume. Without `volume.json`,
 * the directory was left by a process that died during a creation or removal: it is no volume, and removed by the next
 * process that needs the name.
 */
const RECORD = 'volume.json';
const CONTENT = '_data';

/** A volume locked against creation, filling and removal by others. */
export interface HeldVolume {
  readonly volume: Volume;
  /** Whether it did not exist before. */
  readonly isNew: boolean;
  /** Its directory, for files beside the content. */
  readonly directory: string;
  /** Of its context. */
  readonly address: string;
  release(): void;
}

export interface VolumeContext {
  /** The directory of a namespace's volumes: nothing else is in it. */
  readonly root: string;
  readonly clock: Clock;
  /** The path of containerd's socket: what is mounted in a volume is mounted where containerd sees it. */
  readonly address: string;
  readonly signal?: AbortSignal | undefined;
}

/** A new volume. */
interface NewVolumeFacts {
  readonly labels: Readonly<Record<string, string>>;
  readonly options?: VolumeOptions;
}

/**
 * The volume of this name, created if missing, locked until it is released. Waits for other holders.
 *
 * @param name a valid name
 * @throws CORRUPT if something else has its path, EXHAUSTED without space, ABORTED
 */
export async function openVolume(ctx: VolumeContext, name: string, given: NewVolumeFacts): Promise<HeldVolume> {
  const directory = join(ctx.root, name);
  for (;;) {
    makeDirectory(directory);
    const held = await tryHold(ctx, directory);
    if (!held) continue; // removed since it was created
    try {
      const known = readVolume(ctx.root, name);
      return {
        volume: known ?? (await makeVolume(ctx, name, given)),
        isNew: !known,
        directory,
        address: ctx.address,
        release: held.release,
      };
    } catch (error) {
      held.release();
      throw noSpaceError(error, directory);
    }
  }
}

/** Locks the volume of this name, for any text; undefined if there is none. Throws like openVolume. */
export async function holdVolume(ctx: VolumeContext, name: string): Promise<HeldVolume | undefined> {
  if (!isName(name)) return undefined;
  const directory = join(ctx.root, name);
  const held = await tryHold(ctx, directory);
  if (!held) return undefined;
  try {
    const volume = readVolume(ctx.root, name);
    if (volume) return { volume, isNew: false, directory, address: ctx.address, release: held.release };
  } catch (error) {
    held.release();
    throw error;
  }
  held.release();
  return undefined;
}

/** Removes a locked volume with its content. After an interruption it is no volume any more. */
export async function eraseVolume({ directory, address }: Pick<HeldVolume, 'directory' | 'address'>): Promise<void> {
  removeOwn(join(directory, RECORD));
  unmountContent(directory, address);
  await rm(directory, { recursive: true, force: true });
}

/** All volumes, by name. Unreadable ones are skipped. @param onFault called with the reason */
export function listVolumes(root: string, onFault: (error: unknown) => void): readonly Volume[] {
  return namesIn(root).flatMap((name) => {
    try {
      return readVolume(root, name) ?? [];
    } catch (error) {
      onFault(error);
      return [];
    }
  });
}

/** Removes directories that are no volumes: left by processes that died during a creation or removal. */
export async function clearRemains(ctx: VolumeContext): Promise<void> {
  for (const name of namesIn(ctx.root)) {
    const directory = join(ctx.root, name);
    if (!isDirectory(directory) || hasRecord(directory)) continue;
    const held = await tryHold(ctx, directory);
    if (held && !hasRecord(directory)) {
      unmountContent(directory, ctx.address);
      await rm(directory, { recursive: true, force: true });
    }
    held?.release();
  }
}

/**
 * The volume of this name, for any text; undefined if there is none. Throws CORRUPT if the record is damaged, or the
 * content is no directory: a symbolic link there would put another directory of the host into containers.
 */
export function readVolume(root: string, name: string): Volume | undefined {
  if (!isName(name)) return undefined;
  const directory = join(root, name);
  refuseOther(directory);
  const record = readRecord(join(directory, RECORD));
  if (record === undefined) return undefined;
  const mountpoint = join(directory, CONTENT);
  if (!isDirectory(mountpoint)) throw notADirectory(mountpoint);
  return { name, mountpoint, ...parseVolumeJson(record, join(directory, RECORD)) };
}

/** What is in memory is gone with it. */
function unmountContent(directory: string, address: string): void {
  inHostMounts(address, () => {
    while (unmountIfMounted(join(directory, CONTENT)));
  });
}

async function makeVolume(
  { root, clock, address }: VolumeContext,
  name: string,
  { labels, options = {} }: NewVolumeFacts,
): Promise<Volume> {
  const directory = join(root, name);
  unmountContent(directory, address);
  for (const left of readdirSync(directory)) await rm(join(directory, left), { recursive: true, force: true });
  mkdirSync(join(directory, CONTENT), { mode: 0o755 });
  const createdAt = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  replaceFile(join(directory, RECORD), volumeJson({ createdAt, labels, options }));
  return { name, createdAt, labels, options, mountpoint: join(directory, CONTENT) };
}

async function tryHold({ clock, signal }: VolumeContext, directory: string) {
  refuseOther(directory);
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  try {
    return await lockFile({ path: directory, flags, timeoutMs: Number.POSITIVE_INFINITY, signal }, clock);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(join(directory, '..'), { recursive: true, mode: 0o700 });
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw noSpaceError(error, directory);
  }
}

function refuseOther(directory: string): void {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat && !stat.isDirectory()) throw notADirectory(directory);
}

function notADirectory(path: string): HealthctlError {
  return new HealthctlError('CORRUPT', `${path} is not a directory`, {
    hint: 'it belongs to a volume: healthctl does not follow symbolic links there',
  });
}

/**
 * A foreign object is not set aside: without a record, the volume would count as a left-over, and its content be
 * removed. Throws CORRUPT.
 */
function readRecord(path: string): string | undefined {
  const found = inspectOwnFile(path);
  if (found.kind === 'read') return found.bytes.toString('utf8');
  if (found.kind === 'missing') return undefined;
  if (found.kind === 'failed') throw found.cause;
  throw new HealthctlError('CORRUPT', `${path} does not describe a volume: it is ${found.reason}`, {
    hint: 'the content of the volume is in the directory _data beside it',
  });
}

/** An invalid name could lead to another directory. */
const isName = (text: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(text);

const isDirectory = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const hasRecord = (directory: string): boolean =>
  lstatSync(join(directory, RECORD), { throwIfNoEntry: false }) !== undefined;

function namesIn(root: string): readonly string[] {
  try {
    return readdirSync(root).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
