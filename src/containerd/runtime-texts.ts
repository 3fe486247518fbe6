import { HealthctlError } from '../lib/errors.ts';

// What runc and containerd say in words alone, with a gRPC code that means many things. Each text is matched here and nowhere else.

/** Whether the process is gone, or the container has been thawed by a signal to all its processes: there is nothing left to do. */
export const isFinished = (error: unknown): boolean =>
  error instanceof HealthctlError &&
  /process already finished|no such process|not running|not paused|stopped container/i.test(error.message);

/** Why containerd refused to delete a task; undefined for any other error. */
export function stateOfUndeletable(error: unknown): 'running' | 'paused' | undefined {
  if (!(error instanceof HealthctlError)) return undefined;
  const [, state] = /cannot delete a (running|paused) process/.exec(error.message) ?? [];
  return state === 'running' || state === 'paused' ? state : undefined;
}

/** The runtime's own words about a program that it could not start, without what containerd and its shim put around them. */
export function runtimeTextOf(message: string): string {
  const at = message.indexOf('OCI runtime exec failed');
  return (at < 0 ? message : message.slice(at)).replace(/: unknown$/, '');
}
