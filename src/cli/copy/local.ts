import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, join, posix, resolve } from 'node:path';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { type CopySide, cleanPath, keepEnd, rebased, splitEntry } from './rules.ts';

/** Local paths of `cp`, by the rules of Docker's command line (moby/go-archive, copy_unix.go). */

const MAX_LINKS = 10;

export const absoluteLocal = (path: string): string => keepEnd(resolve(path), path);

/** Throws INVALID for a target that cannot become a file or directory. */
export function checkOutputPath(path: string): void {
  const directory = dirname(cleanPath(path));
  if (!statSync(directory, { throwIfNoEntry: false }))
    throw new HealthctlError('INVALID', `invalid output path: directory "${directory}" does not exist`);
  const stats = statOf(path);
  if (!stats || stats.isDirectory() || stats.isFile()) return;
  const what = stats.isBlockDevice() || stats.isCharacterDevice() ? 'got a device' : 'got an irregular file';
  throw new HealthctlError('INVALID', `invalid output path: "${path}" must be a directory or a regular file: ${what}`);
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw asRefusal('stat', path, error);
  }
}

/** A source: links in its directory are followed, at its end only on request. Throws NOT_FOUND. */
export function localSource(path: string, options: { readonly followsLink: boolean }): CopySide {
  try {
    const directory = path.slice(0, path.lastIndexOf('/') + 1);
    const named = path.slice(directory.length);
    const source = options.followsLink
      ? rebased(path, realpathSync(path))
      : { path: `${realpathSync(directory).replace(/\/$/, '')}/${named}` };
    return { ...source, exists: true, isDirectory: lstatSync(source.path).isDirectory() };
  } catch (error) {
    throw asRefusal('lstat', path, error);
  }
}

/** A target: links are followed, also to what does not exist yet. Throws NOT_FOUND without its directory. */
export function localTarget(given: string): CopySide {
  let path = given;
  for (let links = 0; links <= MAX_LINKS; links += 1) {
    const stats = lstatOf(path);
    if (!stats) {
      const { directory } = splitEntry(path);
      const parent = statOf(directory);
      if (!parent) throw asRefusal('stat', directory, Object.assign(new Error(), { code: 'ENOENT' }));
      if (!parent.isDirectory()) throw new HealthctlError('CONFLICT', 'not a directory');
      return { path, exists: false, isDirectory: false };
    }
    if (!stats.isSymbolicLink()) return { path, exists: true, isDirectory: stats.isDirectory() };
    const target = readlinkSync(path);
    path = isAbsolute(target) ? target : join(posix.dirname(cleanPath(path)), target);
  }
  throw new HealthctlError('INVALID', `too many symlinks in "${given}"`);
}

function lstatOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw asRefusal('lstat', path, error);
  }
}

function asRefusal(call: string, path: string, error: unknown): HealthctlError {
  if (error instanceof HealthctlError) return error;
  const isMissing = errnoOf(error) === 'ENOENT';
  const reason = isMissing ? 'no such file or directory' : messageOf(error).replace(/^.*?: /, '');
  return new HealthctlError(isMissing ? 'NOT_FOUND' : 'INVALID', `${call} ${path}: ${reason}`, { cause: error });
}
