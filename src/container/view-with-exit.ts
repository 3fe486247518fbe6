import type { ContainerRecord } from '../containerd/containers.ts';
import type { TaskRecord } from '../containerd/tasks.ts';
import type { CallOptions } from '../containerd/transport.ts';
import { hasCode } from '../lib/errors.ts';
import { type ContainerView, isUp, type Moment, viewFrom, viewOf } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { withEndNotes } from './start-failure-note.ts';
import { endOfContainer } from './wait/end-of.ts';

/** containerd gets the end from the shim within milliseconds, unless the host is overloaded. */
const HEARING_MS = 2_000;

/**
 * The view of a container, with the end of its last run. A process can be gone before containerd knows, and only
 * containerd gets the exit code: it waits for that, two seconds at most; after that the code is unknown.
 */
export async function viewWithExit(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>,
  seen: { readonly record: ContainerRecord; readonly task: TaskRecord | undefined; readonly moment: Moment },
  options: CallOptions = {},
): Promise<ContainerView> {
  const { record, task, moment } = seen;
  const early = viewOf(record, task, moment);
  const isUnheard = early.state === 'exited' && task !== undefined && isUp(task);
  const view = isUnheard
    ? viewFrom({ record, task: await endedTask(ctx, task, options), run: undefined, hasRun: true })
    : early;
  return withEndNotes({ dirs: ctx.dirs, namespace: ctx.containerd.namespace }, view);
}

/** Undefined if it was removed meanwhile. */
async function endedTask(
  ctx: Pick<ContainerContext, 'containerd' | 'clock'>,
  task: TaskRecord,
  options: CallOptions,
): Promise<TaskRecord | undefined> {
  try {
    const exit = await endOfContainer(ctx, task.containerId, { ...options, timeoutMs: HEARING_MS });
    return exit && { ...task, status: 'stopped', exitStatus: exit.status, exitedAtMs: exit.atMs };
  } catch (error) {
    if (hasCode(error, 'TIMEOUT') || hasCode(error, 'UNKNOWN')) return task;
    throw error;
  }
}
