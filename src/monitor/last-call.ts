import type { ContainerContext } from '../container/context.ts';
import type { Tasks } from '../containerd/tasks.ts';
import type { CallOptions } from '../containerd/transport.ts';

/**
 * How long to wait for shims when the monitor ends: most answer within milliseconds, and a silent one delays
 * everything.
 */
export const LAST_CALL_MS = 3_000;

/**
 * The same context, whose calls to shims for checks are cancelled when the signal fires, and refused after it: a silent
 * shim must not keep the monitor from ending. A call with its own signal ends by that. The note of a check leads the
 * next monitor's sweep to what is left of it.
 */
export function withLastCall(context: ContainerContext, signal: AbortSignal): ContainerContext {
  const { containerd } = context;
  return { ...context, containerd: { ...containerd, tasks: tasksUntil(containerd.tasks, signal) } };
}

/**
 * Like `withLastCall`, for actions on containers: only questions for their state and signals to them are cancelled. A
 * start or delete by a shim is waited for, and so is the end of a container that has received its signal.
 */
export function withLastSignal(context: ContainerContext, signal: AbortSignal): ContainerContext {
  const { containerd } = context;
  const { tasks } = containerd;
  const { find, kill } = tasksUntil(tasks, signal);
  return { ...context, containerd: { ...containerd, tasks: { ...tasks, find, kill } } };
}

function tasksUntil(tasks: Tasks, signal: AbortSignal): Tasks {
  const until = (options: CallOptions | undefined): CallOptions => (options?.signal ? options : { ...options, signal });
  return {
    ...tasks,
    find: (containerId, options) => tasks.find(containerId, until(options)),
    findExec: (exec, options) => tasks.findExec(exec, until(options)),
    exec: (exec, options) => tasks.exec(exec, until(options)),
    start: (process, options) => tasks.start(process, until(options)),
    kill: (process, options) => tasks.kill(process, until(options)),
    deleteExec: (exec, options) => tasks.deleteExec(exec, until(options)),
  };
}
