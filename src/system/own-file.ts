/*
 * Access to healthctl's own files. A FIFO, a directory or a link under such a name, from a damaged file system or
 * another user, must not block a process, fill its memory, or lead it to another file.
 *
 * INVARIANTS
 * 1. Files are opened with O_NOFOLLOW and O_NONBLOCK, and used only if fstat(2) says that they are regular. Node.js
 *    adds O_CLOEXEC.
 * 2. No more than a given number of bytes is read.
 * 3. Anything but a regular file of a plausible size is renamed, never removed: `exit.json` →
 *    `exit.json.not-ours-1f3a9b2c`.
 */

import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { errnoOf, fileReasonOf, HealthctlError } from '../lib/errors.ts';
import type { FaultReporter, OnFault } from '../lib/fault-reporter.ts';
import { randomHex } from '../lib/random.ts';

/**
 * The result of a read. `foreign`: no file of ours, e.g. `a FIFO, not a regular file`. `failed`: the kernel refused,
 * e.g. `permission denied`.
 */
export type OwnRead =
  | { readonly kind: 'read'; readonly bytes: Buffer; readonly stats: Stats }
  | { readonly kind: 'missing' }
  | { readonly kind: 'foreign'; readonly reason: string; readonly isRegular: boolean }
  | { readonly kind: 'failed'; readonly reason: string; readonly cause: unknown };

/** Records are a few KiB; a container's labels may make one longer. */
const DEFAULT_MAX_BYTES = 1 << 20;

export interface OwnReadOptions {
  /** Default 1 MiB. A longer file is not read. */
  readonly maxBytes?: number;
  /** `all` (default): a longer file is unusable. `end`: reads its last `maxBytes`. */
  readonly part?: 'all' | 'end';
}

/** Reads a file without changing anything. Errors are values. */
export function inspectOwnFile(path: string, options: OwnReadOptions = {}): OwnRead {
  const { maxBytes = DEFAULT_MAX_BYTES, part = 'all' } = options;
  let fd: number;
  try {
    fd = openPlain(path, constants.O_RDONLY);
  } catch (error) {
    return failedOpen(path, error);
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return foreign(stats);
    if (stats.size > maxBytes && part === 'all')
      return { kind: 'foreign', reason: `longer than ${maxBytes} bytes`, isRegular: true };
    return { kind: 'read', bytes: readUpTo(fd, stats.size, maxBytes), stats };
  } catch (cause) {
    return { kind: 'failed', reason: fileReasonOf(cause), cause };
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads a file of ours. Anything else under its name is set aside, so that `onFault` is called once. A file without
 * read permission counts as missing, without a message: unprivileged users may call most commands.
 */
export function readOwnFile(
  path: string,
  { onFault, ...options }: OwnReadOptions & FaultReporter = {},
): Buffer | undefined {
  const found = inspectOwnFile(path, options);
  if (found.kind === 'read') return found.bytes;
  const { maxBytes = DEFAULT_MAX_BYTES, part = 'all' } = options;
  const isOurs = (stats: Stats) => stats.isFile() && (part === 'end' || stats.size <= maxBytes);
  if (found.kind === 'foreign') setAside(path, found.reason, { onFault, isOurs });
  else if (found.kind === 'failed' && !isDenied(found.cause)) onFault?.(`${path} cannot be read: ${found.reason}`);
  return undefined;
}

/** Like `readOwnFile`, as text. */
export const readOwnText = (path: string, options: OwnReadOptions & FaultReporter = {}): string | undefined =>
  readOwnFile(path, options)?.toString('utf8');

/**
 * Reads a JSON document of ours. A damaged one is reported to `onFault` and counts as missing: undefined.
 *
 * @param parse returns undefined for a value that is no such document
 */
export function readOwnJson<T>(
  path: string,
  parse: (value: unknown) => T | undefined,
  options: OwnReadOptions & FaultReporter = {},
): T | undefined {
  const text = readOwnText(path, options);
  if (text === undefined) return undefined;
  const parsed = parse(jsonFrom(text));
  if (parsed === undefined) options.onFault?.(`${path} is damaged and not used`);
  return parsed;
}

/** A regular file that is open for writing. The caller closes it. */
export interface OpenOwnFile {
  readonly fd: number;
  readonly stats: Stats;
}

/**
 * Opens a file of ours to write or append, and creates it with mode 0600 if missing. Anything else under its name is
 * set aside.
 *
 * @param flags O_WRONLY or O_RDWR, with O_APPEND if wanted
 * @throws system errors, e.g. ENOSPC; CORRUPT if an object under its name cannot be set aside
 */
export function openOwnFile(path: string, flags: number, { onFault }: FaultReporter = {}): OpenOwnFile {
  for (let tries = 0; ; tries += 1) {
    const opened = tryOpenRegular(path, flags | constants.O_CREAT);
    if (opened.kind === 'open') return opened;
    if (tries > 2 || !setAside(path, opened.reason, { onFault }))
      throw new HealthctlError('CORRUPT', `${path} is ${opened.reason}`, { hint: 'move it away' });
  }
}

function tryOpenRegular(
  path: string,
  flags: number,
): ({ readonly kind: 'open' } & OpenOwnFile) | { readonly kind: 'foreign'; readonly reason: string } {
  let fd: number;
  try {
    fd = openPlain(path, flags, 0o600);
  } catch (error) {
    const reason = reasonOfForeign(path, error);
    if (reason === undefined) throw error;
    return { kind: 'foreign', reason };
  }
  const stats = fstatSync(fd);
  if (stats.isFile()) return { kind: 'open', fd, stats };
  closeSync(fd);
  return { kind: 'foreign', reason: `${kindOf(stats)}, not a regular file` };
}

/**
 * Creates a directory of ours and its parents, mode 0700. Anything else under the last name is set aside, also a link
 * to a directory.
 *
 * @throws system errors
 */
export function makeOwnDirectory(path: string, { onFault }: FaultReporter = {}): void {
  try {
    const isMade = mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined;
    if (isMade || !lstatSync(path).isSymbolicLink()) return;
    if (setAside(path, 'a symbolic link, not a directory', { onFault, isOurs: isDirectory }))
      mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    // ENOENT: a dangling link.
    const isTaken = ['EEXIST', 'ENOENT'].includes(errnoOf(error) ?? '');
    const stats = isTaken ? lstatSync(path, { throwIfNoEntry: false }) : undefined;
    if (!stats) throw error;
    if (!setAside(path, `${kindOf(stats)}, not a directory`, { onFault, isOurs: isDirectory })) throw error;
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
}

const isDirectory = (stats: Stats): boolean => stats.isDirectory();

/**
 * How often a directory is emptied into which another process still writes, such as the note of how its container
 * ended.
 */
const REMOVE_TRIES = 50;

/**
 * Removes what has this name: a directory with its content, also what another process writes there meanwhile; a link
 * itself, not its target. Throws system errors.
 */
export function removeOwn(path: string): void {
  // The retries of rmSync only try rmdir(2) again: a file that came after the listing would stay.
  for (let tries = 1; ; tries += 1) {
    try {
      rmSync(path, { recursive: true, force: true });
      return;
    } catch (error) {
      if (errnoOf(error) === 'ENOTDIR') return; // nothing can exist below an object that is no directory
      if (errnoOf(error) !== 'ENOTEMPTY' || tries === REMOVE_TRIES) throw error;
    }
  }
}

/** Removes a socket without a listener, and sets aside anything else under its name. Throws system errors. */
export function freeSocketPath(path: string, onFault: OnFault): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSocket()) unlinkSync(path);
  else if (stats) setAside(path, `${kindOf(stats)}, not a socket`, { onFault, isOurs: (found) => found.isSocket() });
}

export interface SetAsideOptions extends FaultReporter {
  /**
   * Whether an object may have the name: such an object, put there by another process meanwhile, stays. Default: a
   * regular file may.
   */
  readonly isOurs?: (stats: Stats) => boolean;
}

/**
 * Renames an object that is no file of ours, so that one can be created in its place, and reports it.
 *
 * @returns whether the name is free or belongs to a file of ours
 */
export function setAside(path: string, reason: string, options: SetAsideOptions = {}): boolean {
  const { onFault, isOurs = (stats) => stats.isFile() } = options;
  const aside = `${path}.not-ours-${randomHex(4)}`;
  try {
    const before = lstatSync(path, { throwIfNoEntry: false });
    if (before === undefined || isOurs(before)) return true;
    renameSync(path, aside);
    const after = lstatSync(aside);
    if (after.ino !== before.ino && isOurs(after)) {
      putBack(aside, path, after);
      return true;
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    onFault?.(`${path} is ${reason}, and cannot be set aside: ${fileReasonOf(error)}`);
    return false;
  }
  onFault?.(`${path} is ${reason}; it is now ${aside}`);
  return true;
}

/** Renames a damaged file of ours, and reports it. */
export const setAsideDamaged = (path: string, { onFault }: FaultReporter): void =>
  void setAside(path, 'damaged', { onFault, isOurs: () => false });

/**
 * Unless the name is in use again: link(2) does not replace, and rename(2) does not replace a directory that is not
 * empty.
 */
function putBack(aside: string, path: string, stats: Stats): void {
  try {
    if (stats.isDirectory()) renameSync(aside, path);
    else linkSync(aside, path);
  } catch (error) {
    if (!['EEXIST', 'ENOTEMPTY'].includes(errnoOf(error) ?? '')) throw error;
  }
  if (!stats.isDirectory()) unlinkSync(aside);
}

/** Never waits for the other end of a FIFO, and never follows a link in the last component. */
export function openPlain(path: string, flags: number, mode?: number): number {
  return openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode);
}

/** ELOOP: a link. EISDIR: a directory opened for writing. ENXIO: a FIFO without a reader, or a socket. */
const FOREIGN_ERRNOS: readonly (string | undefined)[] = ['ELOOP', 'EISDIR', 'ENXIO', 'ENODEV'];

function failedOpen(path: string, cause: unknown): Exclude<OwnRead, { kind: 'read' }> {
  const errno = errnoOf(cause);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return { kind: 'missing' };
  if (!FOREIGN_ERRNOS.includes(errno)) return { kind: 'failed', reason: fileReasonOf(cause), cause };
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats ? foreign(stats) : { kind: 'missing' };
}

/** Why a path could not be opened, if it is no regular file; undefined for any other error. */
export function reasonOfForeign(path: string, error: unknown): string | undefined {
  const failed = failedOpen(path, error);
  return failed.kind === 'foreign' ? failed.reason : undefined;
}

const foreign = (stats: Stats): Extract<OwnRead, { kind: 'foreign' }> => ({
  kind: 'foreign',
  reason: `${kindOf(stats)}, not a regular file`,
  isRegular: false,
});

const isDenied = (cause: unknown): boolean => ['EACCES', 'EPERM'].includes(errnoOf(cause) ?? '');

/** The type of a directory entry, with its article. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return stats.isFile() ? 'a file' : 'a device';
}

/** The last bytes of a file, up to its size at opening. */
function readUpTo(fd: number, size: number, maxBytes: number): Buffer {
  const length = Math.min(size, maxBytes);
  const bytes = Buffer.allocUnsafe(length);
  let got = 0;
  while (got < length) {
    const count = readSync(fd, bytes, got, length - got, size - length + got);
    if (count === 0) break; // it was truncated
    got += count;
  }
  return bytes.subarray(0, got);
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
