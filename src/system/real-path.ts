import { realpathSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

/** A path with symbolic links resolved; undefined if it does not exist. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
