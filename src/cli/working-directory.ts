import { errnoOf, HealthctlError } from '../lib/errors.ts';

/** Where relative paths start. Throws NOT_FOUND when the shell stands in a directory that was removed meanwhile: only relative paths need one. */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    throw new HealthctlError('NOT_FOUND', 'the working directory does not exist any more', {
      hint: 'change to another directory, or give absolute paths',
      cause,
    });
  }
}
