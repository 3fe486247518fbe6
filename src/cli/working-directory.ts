import { errnoOf, HealthctlError } from '../lib/errors.ts';

/**
 * Base of relative paths. Throws NOT_FOUND if the shell's directory was removed meanwhile: only relative paths need
 * one.
 */
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
