import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileReasonOf } from '../lib/errors.ts';
import type { DoctorContext } from './context.ts';
import { error, type HostFinding, ok, warning } from './finding.ts';

interface Root {
  readonly name: 'data root' | 'run root';
  readonly path: string;
  readonly flag: string;
}

export interface FileSystemFacts {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Undefined for a file system without a limit of files. */
  readonly freeFiles: number | undefined;
  readonly isTmpfs: boolean;
  /** Why nothing can be written there, if so. */
  readonly refusal: string | undefined;
}

export function checkDisk({ settings }: DoctorContext): readonly HostFinding[] {
  const roots: readonly Root[] = [
    { name: 'data root', path: settings.dataRoot, flag: '--data-root' },
    { name: 'run root', path: settings.runRoot, flag: '--run-root' },
  ];
  return roots.flatMap((root) => diskFindings(root, factsOf(root.path)));
}

/** TMPFS_MAGIC and RAMFS_MAGIC of the kernel's magic.h. */
const IN_MEMORY = [0x01021994, 0x858458f6];

/** Of the file system that the directory is on, or will be. */
function factsOf(path: string): FileSystemFacts {
  let place = path;
  while (!existsSync(place) && place !== dirname(place)) place = dirname(place);
  const { bsize, bavail, blocks, files, ffree, type } = statfsSync(place);
  return {
    ...{ freeBytes: bavail * bsize, totalBytes: blocks * bsize, isTmpfs: IN_MEMORY.includes(type) },
    ...{ freeFiles: files > 0 ? ffree : undefined, refusal: refusalOf(place) },
  };
}

function refusalOf(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (failure) {
    return fileReasonOf(failure);
  }
}

const MB = 1 << 20;
/** Below these, writes are about to fail. */
const LOW = { bytes: 100 * MB, files: 1_000 };
const NONE = { bytes: 4 * MB, files: 10 };

export function diskFindings({ name, path, flag }: Root, facts: FileSystemFacts): readonly HostFinding[] {
  const { freeBytes, totalBytes, freeFiles = Number.POSITIVE_INFINITY, isTmpfs, refusal } = facts;
  if (refusal !== undefined) return [error(name, `${path}: ${refusal}`, `choose another directory with ${flag}`)];
  const free = `${path}: ${sizeText(freeBytes)} of ${sizeText(totalBytes)} are free`;
  const isOut = freeBytes < NONE.bytes || freeFiles < NONE.files;
  const isLow = freeBytes < Math.min(LOW.bytes, totalBytes / 10) || freeFiles < LOW.files;
  const files = freeFiles < LOW.files ? `, and ${freeFiles} files can be made` : '';
  const space = `free space there, or choose another directory with ${flag}`;
  if (isOut) return [error(name, `${free}${files}`, space)];
  if (isLow) return [warning(name, `${free}${files}`, space)];
  if (name === 'run root' && !isTmpfs)
    return [
      warning(name, `${path} is on a disk: each check writes to it`, 'choose a directory on tmpfs with --run-root'),
    ];
  return [ok(name, free)];
}

/** Two digits at least, so that rounding changes little. */
function sizeText(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB'];
  let [size, unit] = [bytes / 1024, 0];
  while (size >= 10_240 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${Math.round(size)} ${units[unit]}`;
}
