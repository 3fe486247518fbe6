import type { TaskStdio } from '../../containerd/tasks.ts';
import { HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import type { ContainerState } from '../../record/view.ts';
import type { TerminalSize } from '../console/terminal.ts';
import type { ContainerContext } from '../context.ts';
import { startFailure } from '../start-failure.ts';
import type { ExecNote } from './exec-notes.ts';
import type { ExecProgram } from './exec-process.ts';

/** The part of the context that an exec needs. */
export type ExecContext = Pick<ContainerContext, 'containerd' | 'clock' | 'log' | 'dirs'>;

/** How an exec is started. */
export interface ExecStart {
  readonly terminal: boolean;
  /** `-d`. */
  readonly detach: boolean;
  /** `-i`. */
  readonly stdin: boolean;
  /** From parseDetachKeys. */
  readonly detachKeys: readonly number[];
  /** Of the client's terminal, if the console is none. */
  readonly size?: TerminalSize;
  /** Called with the pid of the process. */
  readonly onStarted?: (pid: number) => void;
  /** Called when the user types the detach keys: then the exec goes on with this console. Default: it is left. */
  readonly onDetach?: () => void;
}

export type ExecRequest = ExecProgram & ExecStart;

/** `left`: by the detach keys; the program continues. `started`: in the background. */
export type ExecEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'left' }
  | { readonly kind: 'started' };

/** An exec that is, or will be, known to containerd. */
export interface Exec {
  readonly containerId: string;
  readonly execId: string;
  readonly processJson: string;
  readonly note: ExecNote;
}

/** Docker: the exit status of a program that cannot be invoked. */
const CANNOT_INVOKE = 126;

/** Throws CONFLICT with Docker's texts. */
export function refuseUnlessRunning(state: ContainerState, id: string): void {
  if (state === 'running') return;
  const message =
    state === 'paused'
      ? `Container ${id} is paused, unpause the container before exec`
      : `container ${id} is not running`;
  throw new HealthctlError('CONFLICT', message, { exitCode: 1 });
}

/** Creates the exec. A failure leaves nothing. */
export async function registerExec({ containerd }: ExecContext, exec: Exec, stdio: TaskStdio): Promise<void> {
  const { containerId, execId, processJson } = exec;
  try {
    await containerd.tasks.exec({ containerId, execId, processJson, ...stdio });
  } catch (error) {
    exec.note.remove();
    throw await explain(containerd, containerId, error);
  }
}

/** Starts it. After a failure it is deleted. @returns the pid */
export async function startExec(ctx: ExecContext, exec: Exec): Promise<number> {
  const { containerId, execId } = exec;
  try {
    return await ctx.containerd.tasks.start({ containerId, execId });
  } catch (error) {
    await releaseExec(ctx, exec);
    throw await explain(ctx.containerd, containerId, error);
  }
}

/** The shim itself waits for an output that a child keeps open: two seconds up to containerd 1.7, ten since. */
const DELETE_LIMIT_MS = 3_000;

/** Deletes an exec that has ended, and its note. After a failure the next exec in the container does it. */
export async function releaseExec(
  { containerd, log }: ExecContext,
  { containerId, execId, note }: Exec,
): Promise<void> {
  try {
    await containerd.tasks.deleteExec({ containerId, execId }, { timeoutMs: DELETE_LIMIT_MS });
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) {
      log.debug(`exec ${execId} is left to the next one: ${messageOf(error)}`);
      note.leave();
      return;
    }
  }
  note.remove();
}

/** An end or freeze of the container meanwhile is a better explanation than the runtime's message. */
async function explain({ tasks }: ExecContext['containerd'], containerId: string, error: unknown): Promise<unknown> {
  if (!hasCode(error, 'RUNTIME', 'NOT_FOUND', 'CONFLICT', 'INVALID', 'UNKNOWN')) return error;
  const task = await tasks.find(containerId);
  const isPaused = task?.status === 'paused' || task?.status === 'pausing';
  try {
    refuseUnlessRunning(task?.status === 'running' ? 'running' : isPaused ? 'paused' : 'exited', containerId);
    return startFailure(error, CANNOT_INVOKE);
  } catch (refusal) {
    return refusal;
  }
}
