import { readFileSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

/** The text of a file below `/proc` or `/sys`; undefined if it is not there any more, or may not be read. */
export function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
