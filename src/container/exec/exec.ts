import { mkdirSync } from 'node:fs';
import { runDirOf } from '../../lib/dirs.ts';
import { randomHex } from '../../lib/random.ts';
import { type ContainerView, refuseUnknown } from '../../record/view.ts';
import { terminalSize } from '../console/terminal.ts';
import { checkTerminal, type UserConsole } from '../console/user-console.ts';
import { runAttachedExec } from './exec-attached.ts';
import { whileStarting } from './exec-lock.ts';
import { EXEC_PREFIX, sweepEndedExecs, writeExecNote } from './exec-notes.ts';
import { execProcessJson } from './exec-process.ts';
import {
  type Exec,
  type ExecContext,
  type ExecEnd,
  type ExecRequest,
  refuseUnlessRunning,
  registerExec,
  startExec,
} from './exec-task.ts';

/**
 * Runs a program in a running container, as the container's own process with other arguments.
 *
 * In the background its output is discarded. containerd keeps an exec until it or the container's task is deleted: an
 * exec that was started in the background, or left before its end, is deleted by the next exec in that container, or at
 * the latest with its task. A program that was left writes into a pipe without a reader, and blocks when that is full.
 *
 * @throws CONFLICT `container x is not running`, `container x is paused, unpause the container before exec`; RUNTIME
 *   with exit status 126 or 127 if the program cannot be started; ABORTED if the console's signal fired: the program
 *   continues, as in Docker
 */
export async function execInContainer(
  ctx: ExecContext,
  console: UserConsole,
  view: ContainerView,
  request: ExecRequest,
): Promise<ExecEnd> {
  const { id } = view.record;
  refuseUnknown(view);
  refuseUnlessRunning(view.state, id);
  if (!request.detach) checkTerminal(console, request);
  const runDir = runDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id });
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  const size = request.detach ? undefined : terminalSize(console);
  const processJson = await execProcessJson(ctx, view, { ...request, runDir, ...(size ? { size } : {}) });
  await sweepEndedExecs({ tasks: ctx.containerd.tasks, clock: ctx.clock, log: ctx.log, containerId: id, runDir });
  const execId = `${EXEC_PREFIX}${randomHex(8)}`;
  const exec: Exec = { containerId: id, execId, processJson, note: await writeExecNote(runDir, execId, ctx.clock) };
  if (!request.detach) return runAttachedExec(ctx, console, exec, request);
  await startDetached(ctx, exec, request.terminal);
  return { kind: 'started' };
}

async function startDetached(ctx: ExecContext, exec: Exec, terminal: boolean): Promise<void> {
  // A terminal's output always needs a destination.
  const stdio = { stdin: '', stdout: terminal ? '/dev/null' : '', stderr: '', terminal };
  await whileStarting(ctx, exec.containerId, async () => {
    await registerExec(ctx, exec, stdio);
    await startExec(ctx, exec);
  });
  exec.note.leave();
}
