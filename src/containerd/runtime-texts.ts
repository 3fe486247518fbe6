import { HealthctlError } from '../lib/errors.ts';

// Errors of runc and containerd that only their texts identify: their gRPC codes have several meanings. No other file
// matches these texts.

/** Whether the process is gone, or a signal to all processes has resumed the container: there is nothing left to do. */
export const isFinished = (error: unknown): boolean =>
  error instanceof HealthctlError &&
  /process already finished|no such process|not running|not paused|stopped container/i.test(error.message);

/** Why containerd refused to delete a task; undefined for any other error. */
export function stateOfUndeletable(error: unknown): 'running' | 'paused' | undefined {
  if (!(error instanceof HealthctlError)) return undefined;
  const [, state] = /cannot delete a (running|paused) process/.exec(error.message) ?? [];
  return state === 'running' || state === 'paused' ? state : undefined;
}

/**
 * The runtime's message about a program that it could not start, without the texts that containerd and its shim add.
 */
export function runtimeTextOf(message: string): string {
  const at = message.indexOf('OCI runtime exec failed');
  return (at < 0 ? message : message.slice(at)).replace(/: unknown$/, '');
}
