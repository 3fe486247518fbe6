import { mkdirSync } from 'node:fs';
import { runDirOf } from '../../lib/dirs.ts';
import { encodeJson } from '../../lib/json.ts';
import { randomHex } from '../../lib/random.ts';
import { type ContainerView, refuseUnknown } from '../../record/view.ts';
import { terminalSize } from '../console/terminal.ts';
import { checkTerminal, type UserConsole } from '../console/user-console.ts';
import { runAttachedExec } from './exec-attached.ts';
import { whileStarting } from './exec-lock.ts';
import { EXEC_PREFIX, sweepEndedExecs, writeExecNote } from './exec-notes.ts';
import { type ExecProcess, type ExecProgram, execProcess, withSize } from './exec-process.ts';
import {
  type Exec,
  type ExecContext,
  type ExecEnd,
  type ExecRequest,
  type ExecStart,
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
 * @throws CONFLICT `container x is not running`, `Container x is paused, unpause the container before exec`; RUNTIME
 *   with exit status 126 or 127 if the program cannot be started; ABORTED if the console's signal fired: the program
 *   continues, as in Docker
 */
export async function execInContainer(
  ctx: ExecContext,
  console: UserConsole,
  view: ContainerView,
  request: ExecRequest,
): Promise<ExecEnd> {
  const process = await prepareExec(ctx, view, request);
  if (!request.detach) checkTerminal(console, request);
  const exec = { containerId: view.record.id, execId: `${EXEC_PREFIX}${randomHex(8)}`, process };
  return runPreparedExec(ctx, console, exec, request);
}

/**
 * The process of an exec that is started later. @throws CONFLICT for a container that does not run or is paused; errors
 * of execProcess
 */
export async function prepareExec(ctx: ExecContext, view: ContainerView, program: ExecProgram): Promise<ExecProcess> {
  refuseUnknown(view);
  refuseUnlessRunning(view.state, view.record.id);
  return execProcess(ctx, view, { ...program, runDir: makeRunDir(ctx, view.record.id) });
}

export interface PreparedExec {
  readonly containerId: string;
  /** containerd's. */
  readonly execId: string;
  readonly process: ExecProcess;
}

/** As `execInContainer`, for an exec that was prepared. */
export async function runPreparedExec(
  ctx: ExecContext,
  console: UserConsole,
  { containerId, execId, process }: PreparedExec,
  how: ExecStart,
): Promise<ExecEnd> {
  const { tasks } = ctx.containerd;
  const runDir = makeRunDir(ctx, containerId);
  const size = how.size ?? (how.detach ? undefined : terminalSize(console));
  const processJson = encodeJson(withSize(process, size));
  await sweepEndedExecs({ tasks, clock: ctx.clock, log: ctx.log, containerId, runDir });
  const exec: Exec = { containerId, execId, processJson, note: await writeExecNote(runDir, execId, ctx.clock) };
  if (!how.detach) return runAttachedExec(ctx, console, exec, how);
  await startDetached(ctx, exec, how.terminal);
  return { kind: 'started' };
}

function makeRunDir(ctx: ExecContext, id: string): string {
  const runDir = runDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id });
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  return runDir;
}

async function startDetached(ctx: ExecContext, exec: Exec, terminal: boolean): Promise<void> {
  // A terminal's output always needs a destination.
  const stdio = { stdin: '', stdout: terminal ? '/dev/null' : '', stderr: '', terminal };
  try {
    await whileStarting(ctx, exec.containerId, async () => {
      await registerExec(ctx, exec, stdio);
      await startExec(ctx, exec);
    });
  } finally {
    exec.note.leave();
  }
}
