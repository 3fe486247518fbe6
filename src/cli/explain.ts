import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, fileReasonOf, HealthctlError } from '../lib/errors.ts';
import type { Settings } from '../lib/settings.ts';

/**
 * A system error about a file, in words: `cannot make PATH: read-only file system`, with advice if the path is one of
 * ours. Other errors are returned unchanged. Node.js reports ENOENT if a directory cannot be created below a read-only
 * one: this finds the real reason.
 */
export function explainFileError(error: unknown, settings: Pick<Settings, 'runRoot' | 'dataRoot'>): unknown {
  if (error instanceof HealthctlError || errnoOf(error) === undefined) return error;
  const { path, syscall } = error as { path?: unknown; syscall?: unknown };
  if (typeof path !== 'string') return error;
  const reason = syscall === 'mkdir' && errnoOf(error) === 'ENOENT' ? refusalAbove(path) : error;
  const hint = hintFor(path, settings);
  return new HealthctlError('CONFIG', `cannot ${verbOf(syscall)} ${path}: ${fileReasonOf(reason ?? error)}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Why nothing can be created in the nearest existing directory; undefined if it can. */
function refusalAbove(path: string): unknown {
  let parent = dirname(path);
  while (!existsSync(parent) && parent !== dirname(parent)) parent = dirname(parent);
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return error;
  }
}

function verbOf(syscall: unknown): string {
  if (syscall === 'mkdir') return 'make';
  if (syscall === 'open') return 'open';
  if (syscall === 'rename') return 'write';
  return syscall === 'unlink' || syscall === 'rmdir' || syscall === 'rm' ? 'remove' : 'use';
}

function hintFor(path: string, { runRoot, dataRoot }: Pick<Settings, 'runRoot' | 'dataRoot'>): string | undefined {
  const isIn = (root: string): boolean => path === root || path.startsWith(`${root}/`);
  if (isIn(runRoot))
    return 'it is in the run root: name another one, best on tmpfs, with --run-root or HEALTHCTL_RUN_ROOT';
  if (isIn(dataRoot)) return 'it is in the data root: name another one with --data-root or HEALTHCTL_DATA_ROOT';
  return undefined;
}
