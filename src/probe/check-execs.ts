import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Exit, Tasks } from '../containerd/tasks.ts';
import { errnoOf, hasCode, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { holdFifo } from '../system/fifo.ts';
import { killSession } from '../system/kill-session.ts';
import { makeOwnDirectory } from '../system/own-file.ts';
import { readStat } from '../system/proc.ts';
import type { ProbeTarget } from './prober.ts';

/** The exec ids of checks begin with this: what carries it while nobody holds the container's check lock was left by a caller that died. */
export const CHECK_EXEC_PREFIX = 'healthctl-check-';

/** Those of resident shells, which outlive a check: only who knows that nobody uses them may sweep them. */
export const RESIDENT_EXEC_PREFIX = `${CHECK_EXEC_PREFIX}resident-`;

/** FIFOs of an exec that its shim opens for writing: see holdCheckOutputs. */
export const OUTPUT_FIFO = 'output';
export const CONTROL_FIFO = 'control';
/** A directory, so that it is there as a whole or not at all. */
const PAUSE_NOTE = 'ended-by-pause';

/** How long a killed process may take to die before it is left to the next sweep: a frozen one cannot die on cgroup v1. */
export const DEATH_LIMIT_MS = 2_000;
/** The shim waits itself for an output that a child keeps open: two seconds up to containerd 1.7, then ten. What takes longer is left to the next check. */
const DELETE_LIMIT_MS = 3_000;

export interface CheckExecDeps {
  readonly tasks: Tasks;
  readonly log: Pick<Logger, 'debug'>;
}

/**
 * Deletes an exec whose process has ended.
 *
 * @returns whether it is gone; where not, because a process is frozen, say, a sweep has to do it. How it ended, if this is what deleted it
 */
export async function deleteExec(
  { tasks, log }: CheckExecDeps,
  exec: { readonly containerId: string; readonly execId: string },
): Promise<{ readonly isGone: boolean; readonly exit?: Exit }> {
  try {
    return { isGone: true, exit: await tasks.deleteExec(exec, { timeoutMs: DELETE_LIMIT_MS }) };
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return { isGone: true };
    log.debug(`exec ${exec.execId} is not deleted: ${messageOf(error)}`);
    return { isGone: false };
  }
}

/**
 * Ends and forgets the execs of checks whose callers died. The container's check lock must be held.
 *
 * @param options.residents also resident shells: nobody else may use one of this container
 */
export async function sweepExecs(
  { tasks, log }: CheckExecDeps,
  target: Pick<ProbeTarget, 'containerId' | 'scratchDir'>,
  options: { readonly residents: boolean },
): Promise<void> {
  const { containerId, scratchDir } = target;
  const left = notedExecs(scratchDir).filter((name) => options.residents || !name.startsWith(RESIDENT_EXEC_PREFIX));
  if (left.length === 0) return;
  const letGo = holdOutputs(scratchDir, left);
  try {
    for (const execId of left) {
      const exec = { containerId, execId };
      if (await forgetExec({ tasks, log }, exec)) rmSync(join(scratchDir, execId), { recursive: true, force: true });
    }
  } finally {
    letGo();
  }
}

/** @returns whether it is gone */
async function forgetExec(
  { tasks, log }: CheckExecDeps,
  exec: { readonly containerId: string; readonly execId: string },
): Promise<boolean> {
  try {
    if (await endExec(tasks, exec)) await tasks.deleteExec(exec, { timeoutMs: DELETE_LIMIT_MS });
    return true;
  } catch (error) {
    if (hasCode(error, 'UNAVAILABLE')) throw error;
    if (hasCode(error, 'NOT_FOUND')) return true;
    log.debug(`exec ${exec.execId} of an earlier check is still there: ${messageOf(error)}`);
    return false;
  }
}

/**
 * A shim that waits for a reader of a check's output, because its reader died, lets nothing else happen in the container, for 30 seconds.
 * Reads for all of them, so that the shim goes on.
 *
 * @returns lets go
 */
export function holdCheckOutputs(scratchDir: string): () => void {
  return holdOutputs(scratchDir, notedExecs(scratchDir));
}

function holdOutputs(scratchDir: string, execIds: readonly string[]): () => void {
  const held: (() => void)[] = [];
  const letGo = () => {
    for (const each of held) each();
  };
  try {
    for (const execId of execIds) {
      for (const fifo of [OUTPUT_FIFO, CONTROL_FIFO]) held.push(holdIfThere(join(scratchDir, execId, fifo)));
    }
    return letGo;
  } catch (error) {
    letGo();
    throw error;
  }
}

function holdIfThere(path: string): () => void {
  try {
    return holdFifo(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return () => {};
    throw error;
  }
}

/**
 * Ends the check in flight, if there is one, because its container is about to be paused, and leaves word of it: whoever made the check sees it
 * killed, and may look at the container when it goes on already. No lock is needed.
 */
export async function endChecks(tasks: Tasks, target: Pick<ProbeTarget, 'containerId' | 'scratchDir'>): Promise<void> {
  const execIds = notedExecs(target.scratchDir);
  if (execIds.length > 0) makeOwnDirectory(join(target.scratchDir, PAUSE_NOTE));
  for (const execId of execIds) await endExec(tasks, { containerId: target.containerId, execId });
}

/** Whether a pause has ended a check, without taking the note. The container's check lock must be held. */
export function hasPauseNote(scratchDir: string): boolean {
  return existsSync(join(scratchDir, PAUSE_NOTE));
}

/** Whether a pause has ended a check since this was asked last. The container's check lock must be held. */
export function takePauseNote(scratchDir: string): boolean {
  const path = `${scratchDir}/${PAUSE_NOTE}`;
  if (!existsSync(path)) return false;
  rmSync(path, { recursive: true, force: true });
  return true;
}

function notedExecs(scratchDir: string): readonly string[] {
  try {
    return readdirSync(scratchDir).filter((name) => name.startsWith(CHECK_EXEC_PREFIX));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Kills what runs of an exec and waits for its end, for a while. @returns whether containerd knows the exec at all */
async function endExec(
  tasks: Tasks,
  exec: { readonly containerId: string; readonly execId: string },
): Promise<boolean> {
  const left = await tasks.findExec(exec);
  if (!left) return false;
  if (left.pid === 0 || left.status === 'stopped') return true;
  const stat = readStat(left.pid);
  if (stat) await killSession(stat);
  try {
    await tasks.wait(exec, { timeoutMs: DEATH_LIMIT_MS });
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND', 'TIMEOUT')) throw error;
  }
  return true;
}
