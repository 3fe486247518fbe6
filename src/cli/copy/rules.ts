import { posix } from 'node:path';
import { HealthctlError } from '../../lib/errors.ts';

/*
 * Where `cp` puts things and under which name: the rules of Docker's command line (moby/go-archive, copy.go). A slash or
 * `/.` at the end of a path counts.
 */

/** One side of a copy. */
export interface CopySide {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
  /** The name as it was given, where a link was followed. */
  readonly rebaseName?: string;
}

/** `CONTAINER:PATH` or a local path. A local path with a colon is written with `/` or `./` in front. */
export function splitArgument(argument: string): { readonly container?: string; readonly path: string } {
  const colon = argument.indexOf(':');
  if (argument.startsWith('/') || argument.startsWith('.') || colon < 0) return { path: argument };
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) };
}

const endsWithSlash = (path: string): boolean => path.endsWith('/');
const endsWithDot = (path: string): boolean => /(^|\/)\.$/.test(path);
/** The path can only be that of a directory. */
const assertsDirectory = (path: string): boolean => endsWithSlash(path) || endsWithDot(path);

/** Restores what cleaning a path removes: a dot or slash at its end. */
export function keepEnd(clean: string, original: string): string {
  let path = clean;
  if (!endsWithDot(path) && endsWithDot(original)) path = `${endsWithSlash(path) ? path : `${path}/`}.`;
  if (!endsWithSlash(path) && endsWithSlash(original)) path = `${path}/`;
  return path;
}

/** Go's filepath.Clean. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal === '/' ? '/' : normal.replace(/\/$/, '');
}

/** The directory of a path and its name there; `.` is a name too. */
export function splitEntry(path: string): { readonly directory: string; readonly base: string } {
  const clean = endsWithDot(path) ? `${cleanPath(path)}/.`.replace(/^\/\/\.$/, '/.') : cleanPath(path);
  const base = posix.basename(clean) || '/';
  return { directory: endsWithDot(path) ? cleanPath(path) : posix.dirname(clean), base };
}

/** The target of a followed link with the end of the given path, and the name to be kept if it is another one. */
export function rebased(given: string, target: string): { readonly path: string; readonly rebaseName?: string } {
  const path = keepEnd(target, given);
  const name = posix.basename(given);
  return name === posix.basename(path) ? { path } : { path, rebaseName: name };
}

/** Where to extract, and the name of the top entry there; undefined: its own. */
export interface CopyPlan {
  readonly directory: string;
  readonly name: string | undefined;
}

/** @throws CONFLICT with Docker's texts */
export function planCopy(source: CopySide, target: CopySide): CopyPlan {
  if (target.exists && target.isDirectory) return { directory: target.path, name: source.rebaseName };
  if (target.exists && source.isDirectory) throw new HealthctlError('CONFLICT', 'cannot copy directory');
  if (!target.exists && !source.isDirectory && assertsDirectory(target.path))
    throw new HealthctlError('CONFLICT', 'no such directory');
  const { directory, base } = splitEntry(target.path);
  return { directory, name: base };
}
