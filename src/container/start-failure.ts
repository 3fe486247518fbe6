import { runtimeTextOf } from '../containerd/runtime-texts.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';

/**
 * Docker's exit status for a program that could not be started, from the runtime's text (docker/cli run.go): 127 if it
 * does not exist, 126 if it cannot or must not be executed.
 *
 * @param otherwise 125 for `run`, 126 for `exec`
 */
function exitCodeOfStartFailure(text: string, otherwise: number): number {
  if (/executable file .*not found|no such file or directory/i.test(text)) return 127;
  return /permission denied|not a directory|is a directory|open executable: /i.test(text) ? 126 : otherwise;
}

/** The runtime's failure to start a program, in Docker's form; any other error, and one with an exit status, unchanged. */
export function startFailure(error: unknown, otherwise: number): unknown {
  if (error instanceof HealthctlError && error.exitCode !== undefined) return error;
  if (!hasCode(error, 'RUNTIME', 'NOT_FOUND', 'INVALID', 'CONFLICT')) return error;
  const text = runtimeTextOf(error.message);
  const hint = hintFor(text);
  const exitCode = exitCodeOfStartFailure(text, otherwise);
  return new HealthctlError('RUNTIME', text, { cause: error, exitCode, ...(hint === undefined ? {} : { hint }) });
}

/**
 * A cgroup can have no more real-time scheduling than its parent, and a new one has none: the administrator of the host
 * assigns it.
 */
function hintFor(text: string): string | undefined {
  const [, directory] = /(\/\S+)\/[^/\s]+\/cpu\.rt_(?:runtime|period)_us\b/.exec(text) ?? [];
  if (directory === undefined) return undefined;
  return `a cgroup above has no real-time budget left: write to ${directory}/cpu.rt_runtime_us, and to those above it first`;
}
