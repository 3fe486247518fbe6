import { accessSync, constants } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

/** Whether there is a file at the path that we may execute. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
