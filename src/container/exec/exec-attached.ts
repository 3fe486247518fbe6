import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { TaskStdio } from '../../containerd/tasks.ts';
import { HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import { makeFifo, openFifoReader } from '../../system/fifo.ts';
import { createDetachFilter } from '../console/detach-keys.ts';
import { connectNewStdin, pumpStdin } from '../console/stdin.ts';
import { followSize, takeKeys } from '../console/terminal.ts';
import { type UserConsole, writerTo } from '../console/user-console.ts';
import { endOfContainer } from '../wait/end-of.ts';
import { whileStarting } from './exec-lock.ts';
import { type DrainedOutput, drainOutput, untilDrained } from './exec-output.ts';
import {
  type Exec,
  type ExecContext,
  type ExecEnd,
  type ExecStart,
  registerExec,
  releaseExec,
  startExec,
} from './exec-task.ts';

/** The exit status of a process killed by SIGKILL. */
const KILLED = 137;

type AttachedRequest = Omit<ExecStart, 'detach'>;

/** The resources that are open until the end. */
interface Session {
  readonly left: AbortSignal;
  leave(): void;
  /** Registers work to do if the session ends while the program runs. */
  onLeave(work: () => Promise<void>): void;
  /** Registers an undo step for the end; the last one runs first. */
  onRelease(undo: () => void): void;
}

/**
 * Runs an exec with the user's streams until it ends or the user detaches. Leaves nothing of ours open, and no FIFO.
 */
export async function runAttachedExec(
  ctx: ExecContext,
  console: UserConsole,
  exec: Exec,
  request: AttachedRequest,
): Promise<ExecEnd> {
  const undos: (() => void)[] = [];
  const leaveWork: (() => Promise<void>)[] = [];
  const left = new AbortController();
  const session: Session = {
    left: left.signal,
    leave: () => left.abort(),
    onLeave: (work) => leaveWork.push(work),
    onRelease: (undo) => undos.push(undo),
  };
  console.signal.addEventListener('abort', session.leave);
  session.onRelease(() => console.signal.removeEventListener('abort', session.leave));
  try {
    const exitCode = await runToEnd(ctx, console, { exec, request, session });
    return { kind: 'exited', exitCode };
  } catch (error) {
    for (const work of leaveWork) await work();
    exec.note.leave();
    if (console.signal.aborted) throw new HealthctlError('ABORTED', `exec ${exec.execId} was left`, { cause: error });
    if (left.signal.aborted) return { kind: 'left' };
    throw error;
  } finally {
    left.abort(); // ends what still waits after a failure
    for (const undo of undos.reverse()) undo();
  }
}

interface Attempt {
  readonly exec: Exec;
  readonly request: AttachedRequest;
  readonly session: Session;
}

async function runToEnd(ctx: ExecContext, console: UserConsole, attempt: Attempt): Promise<number> {
  const { exec, request, session } = attempt;
  const { tasks } = ctx.containerd;
  const { stdio, outputs } = openPipes(ctx, console, attempt);
  if (console.signal.aborted) throw new HealthctlError('ABORTED', 'the exec was cancelled');
  // Before anything is printed, and before the user's terminal could interpret input typed ahead.
  if (stdio.terminal && stdio.stdin !== '') session.onRelease(takeKeys(console));
  const exit = await whileStarting(
    ctx,
    exec.containerId,
    async () => {
      await registerExec(ctx, exec, stdio);
      const ended = tasks.wait(exec, { signal: session.left });
      ended.catch(() => undefined); // handled where it is awaited
      const pid = await startExec(ctx, exec);
      request.onStarted?.(pid);
      return { ended };
    },
    session.left,
  );
  await connectInput(ctx, console, { ...attempt, stdio });
  const { status } = await Promise.race([
    exit.ended.catch((error) => endWithContainer(ctx, exec, error)),
    failureOf(outputs),
  ]);
  // Not earlier: the shim would remove the rest of the output.
  await untilDrained(outputs, ctx.clock, session.left);
  await releaseExec(ctx, exec);
  return status;
}

/** A dying shim takes the container and the exec with it: both were killed. */
async function endWithContainer(ctx: ExecContext, { containerId }: Exec, error: unknown): Promise<never> {
  if (!hasCode(error, 'UNKNOWN')) throw error;
  await endOfContainer(ctx, containerId);
  throw new HealthctlError('CONFLICT', `container ${containerId} has ended`, { cause: error, exitCode: KILLED });
}

function openPipes(
  ctx: ExecContext,
  { streams }: UserConsole,
  { exec, request, session }: Attempt,
): { readonly stdio: TaskStdio; readonly outputs: readonly DrainedOutput[] } {
  const pathOf = (name: string): string => join(exec.note.dir, name);
  const outputs: DrainedOutput[] = [];
  const openOutput = (name: string, stream: Writable): string => {
    makeFifo(pathOf(name));
    const reader = openFifoReader(pathOf(name));
    session.onRelease(() => reader.destroy());
    outputs.push(drainOutput(reader, writerTo(stream, session.left), ctx.clock));
    return pathOf(name);
  };
  const stdout = openOutput('stdout', streams.stdout);
  const stderr = request.terminal ? '' : openOutput('stderr', streams.stderr);
  const stdin = request.stdin ? pathOf('stdin') : '';
  if (stdin !== '') makeFifo(stdin);
  return { stdio: { stdin, stdout, stderr, terminal: request.terminal }, outputs };
}

async function connectInput(
  { containerd, clock, log }: ExecContext,
  console: UserConsole,
  { exec: { containerId, execId }, request, session, stdio }: Attempt & { readonly stdio: TaskStdio },
): Promise<void> {
  const ignore = (error: unknown): void => log.debug(`exec ${execId}: ${messageOf(error)}`); // it has ended
  if (request.terminal) {
    const resize = (size: { readonly width: number; readonly height: number }): Promise<void> =>
      containerd.tasks.resize({ containerId, execId, ...size }).catch(ignore);
    session.onRelease(followSize(console, resize));
  }
  if (stdio.stdin === '') return;
  const sink = await connectNewStdin(stdio.stdin, clock);
  if (!sink) return;
  const closeStdin = async (): Promise<void> => {
    // Closing a terminal's input would end its output too.
    if (!request.terminal) await containerd.tasks.closeStdin({ containerId, execId }).catch(ignore);
  };
  const stop = pumpStdin({
    source: console.streams.stdin,
    sink,
    ...(request.terminal ? { detach: createDetachFilter(request.detachKeys) } : {}),
    onEnd: () => void closeStdin(),
    onDetach: request.onDetach ?? session.leave,
  });
  session.onRelease(stop);
  session.onLeave(async () => {
    stop();
    await closeStdin();
  });
}

/** Rejects if copying an output fails, and never resolves. */
function failureOf(outputs: readonly DrainedOutput[]): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const { done } of outputs) done.catch(reject);
  });
}
