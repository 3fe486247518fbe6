import { execFile } from 'node:child_process';
import { errnoOf, HealthctlError } from '../lib/errors.ts';

/** Thousands of processes give some hundred KiB. */
const MAX_OUTPUT_BYTES = 64 << 20;
const LIMIT_MS = 30_000;

/**
 * Runs the host's ps.
 * @returns its output
 *
 * @throws UNAVAILABLE if it is not installed, RUNTIME `ps: …` with its message
 */
export function runPs(args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: LIMIT_MS, maxBuffer: MAX_OUTPUT_BYTES, signal };
    execFile('ps', args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (signal.aborted) return reject(new HealthctlError('ABORTED', 'ps was cancelled', { cause: error }));
      reject(
        errnoOf(error) === 'ENOENT'
          ? new HealthctlError('UNAVAILABLE', 'ps is not installed', { cause: error, hint: 'install procps' })
          : new HealthctlError('RUNTIME', `ps: ${stderr.trim().split('\n')[0] || error.message}`, { cause: error }),
      );
    });
  });
}
