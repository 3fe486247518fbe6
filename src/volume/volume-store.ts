import { constants, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import { noSpaceError, replaceFile } from '../system/atomic-write.ts';
import { lockFile } from '../system/flock.ts';
import { inspectOwnFile, removeOwn } from '../system/own-file.ts';
import { parseVolumeJson, type Volume, volumeJson } from './volume.ts';

/*
 * A volume is a directory of its name: `volume.json` says that there is one, and what it is; `_data` is its content. The directory itself is
 * the lock: whoever makes, fills or removes the volume holds it. What a process leaves that dies before `volume.json` is written, or after it
 * was removed, is no volume, and cleared away by the next who wants the name.
 */
const RECORD = 'volume.json';
const CONTENT = '_data';

/** A volume that nobody else makes, fills or removes meanwhile. */
export interface HeldVolume {
  readonly volume: Volume;
  /** Whether it did not exist before. */
  readonly isNew: boolean;
  /** Its directory, for what is kept beside the content. */
  readonly directory: string;
  release(): void;
}

export interface VolumePlace {
  /** Holds the volumes of one namespace: nothing else is in it. */
  readonly root: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The volume of this name, made if there is none, held until it is released. Waits for other holders.
 *
 * @param name one that is valid
 * @throws CORRUPT where something else has its place, EXHAUSTED without space, ABORTED
 */
export async function openVolume(
  place: VolumePlace,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<HeldVolume> {
  const directory = join(place.root, name);
  for (;;) {
    makeDirectory(directory);
    const held = await tryHold(place, directory);
    if (!held) continue; // removed since it was made
    try {
      const known = readVolume(place.root, name);
      return {
        volume: known ?? (await makeVolume(place, name, labels)),
        isNew: !known,
        directory,
        release: held.release,
      };
    } catch (error) {
      held.release();
      throw noSpaceError(error, directory);
    }
  }
}

/** The volume of this name, whatever the text is, held; undefined where there is none. Throws as openVolume. */
export async function holdVolume(place: VolumePlace, name: string): Promise<HeldVolume | undefined> {
  if (!isName(name)) return undefined;
  const directory = join(place.root, name);
  const held = await tryHold(place, directory);
  if (!held) return undefined;
  try {
    const volume = readVolume(place.root, name);
    if (volume) return { volume, isNew: false, directory, release: held.release };
  } catch (error) {
    held.release();
    throw error;
  }
  held.release();
  return undefined;
}

/** Removes a volume that is held, with its content. Interrupted, it is no volume any more. */
export async function eraseVolume({ directory }: Pick<HeldVolume, 'directory'>): Promise<void> {
  removeOwn(join(directory, RECORD));
  await rm(directory, { recursive: true, force: true });
}

/** All volumes, by name. One that cannot be read is left out. @param onFault is told why */
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

/** Clears what is no volume: left by processes that died while they made or removed one. */
export async function clearRemains(place: VolumePlace): Promise<void> {
  for (const name of namesIn(place.root)) {
    const directory = join(place.root, name);
    if (!isDirectory(directory) || hasRecord(directory)) continue;
    const held = await tryHold(place, directory);
    if (held && !hasRecord(directory)) await rm(directory, { recursive: true, force: true });
    held?.release();
  }
}

/**
 * The volume of this name, whatever the text is; undefined where there is none. Throws CORRUPT where the record is damaged, or the content is no directory: a symbolic link there would put
 * another directory of the host into containers.
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

async function makeVolume(
  { root, clock }: VolumePlace,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<Volume> {
  const directory = join(root, name);
  for (const left of readdirSync(directory)) await rm(join(directory, left), { recursive: true, force: true });
  mkdirSync(join(directory, CONTENT), { mode: 0o755 });
  const createdAt = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  replaceFile(join(directory, RECORD), volumeJson({ createdAt, labels }));
  return { name, createdAt, labels, mountpoint: join(directory, CONTENT) };
}

async function tryHold({ clock, signal }: VolumePlace, directory: string) {
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

/** What is no record is not set aside: without one, the volume would count as left over, and its content be removed. Throws CORRUPT. */
function readRecord(path: string): string | undefined {
  const found = inspectOwnFile(path);
  if (found.kind === 'read') return found.bytes.toString('utf8');
  if (found.kind === 'missing') return undefined;
  if (found.kind === 'failed') throw found.cause;
  throw new HealthctlError('CORRUPT', `${path} does not describe a volume: it is ${found.reason}`, {
    hint: 'the content of the volume is in the directory _data beside it',
  });
}

/** A text that is none could name another directory. */
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
