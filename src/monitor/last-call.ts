import type { ContainerContext } from '../container/context.ts';
import type { Tasks } from '../containerd/tasks.ts';
import type { CallOptions } from '../containerd/transport.ts';

/** How long shims are waited for when the monitor ends: most answer within milliseconds, and one that is silent holds up all. */
export const LAST_CALL_MS = 3_000;

/**
 * The same context, whose questions to shims about checks are given up when the signal fires, and not asked any more after it: a shim that
 * does not answer must not keep the monitor from ending. What has a signal of its own ends by that. What is left of a check is found by its
 * note, and swept by the next monitor.
 */
export function withLastCall(context: ContainerContext, signal: AbortSignal): ContainerContext {
  const { containerd } = context;
  return { ...context, containerd: { ...containerd, tasks: tasksUntil(containerd.tasks, signal) } };
}

/**
 * The same for whoever acts on containers: only its questions for their state and its signals are given up. What a shim is told to start or
 * to delete is waited for, and so is the end of a container that has got its signal.
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
