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

/**
 * Prefix of the exec ids of checks. An exec with it was left by a caller that died, if nobody holds the container's
 * check lock.
 */
export const CHECK_EXEC_PREFIX = 'healthctl-check-';

/**
 * Prefix of the exec ids of resident shells, which outlive a check: sweep them only if you know that no process uses
 * them.
 */
export const RESIDENT_EXEC_PREFIX = `${CHECK_EXEC_PREFIX}resident-`;

/** FIFOs of an exec that its shim opens for writing: see holdCheckOutputs. */
export const OUTPUT_FIFO = 'output';
export const CONTROL_FIFO = 'control';
/** A directory, because it is created atomically. */
const PAUSE_NOTE = 'ended-by-pause';

/**
 * How long to wait for the death of a killed process before leaving it to the next sweep: a frozen one cannot die on
 * cgroup v1.
 */
export const DEATH_LIMIT_MS = 2_000;
/**
 * The shim itself waits for an output that a child keeps open: two seconds up to containerd 1.7, ten since. A longer
 * wait is left to the next check.
 */
const DELETE_LIMIT_MS = 3_000;

export interface CheckExecDeps {
  readonly tasks: Tasks;
  readonly log: Pick<Logger, 'debug'>;
}

/**
 * Deletes an exec whose process has ended.
 *
 * @returns whether it is gone, and how it ended if this call deleted it. If it is not gone, for example because a
 *   process is frozen, a sweep has to delete it
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
 * Kills and deletes the execs of checks whose callers died. The container's check lock must be held.
 *
 * @param options.residents also resident shells: no other process may use one of this container
 */
export async function sweepExecs(
  { tasks, log }: CheckExecDeps,
  target: Pick<ProbeTarget, 'containerId' | 'scratchDir'>,
  options: { readonly residents: boolean },
): Promise<void> {
  const { containerId, scratchDir } = target;
  const left = notedExecs(scratchDir).filter((name) => options.residents || !name.startsWith(RESIDENT_EXEC_PREFIX));
  if (left.length === 0) return;
  const release = holdOutputs(scratchDir, left);
  try {
    for (const execId of left) {
      const exec = { containerId, execId };
      if (await forgetExec({ tasks, log }, exec)) rmSync(join(scratchDir, execId), { recursive: true, force: true });
    }
  } finally {
    release();
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
 * A shim blocks all work in the container for 30 seconds if the reader of a check's output died: it waits for a new
 * reader. This opens all outputs for reading, so that the shim continues.
 *
 * @returns a function that closes them
 */
export function holdCheckOutputs(scratchDir: string): () => void {
  return holdOutputs(scratchDir, notedExecs(scratchDir));
}

function holdOutputs(scratchDir: string, execIds: readonly string[]): () => void {
  const held: (() => void)[] = [];
  const release = () => {
    for (const each of held) each();
  };
  try {
    for (const execId of execIds) {
      for (const fifo of [OUTPUT_FIFO, CONTROL_FIFO]) held.push(holdIfThere(join(scratchDir, execId, fifo)));
    }
    return release;
  } catch (error) {
    release();
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
 * Kills the check in flight, if there is one, before its container is paused, and leaves a note: the caller of the
 * check sees it killed, and may look at the container only after it was resumed. Needs no lock.
 */
export async function endChecks(tasks: Tasks, target: Pick<ProbeTarget, 'containerId' | 'scratchDir'>): Promise<void> {
  const execIds = notedExecs(target.scratchDir);
  if (execIds.length > 0) makeOwnDirectory(join(target.scratchDir, PAUSE_NOTE));
  for (const execId of execIds) await endExec(tasks, { containerId: target.containerId, execId });
}

/** Whether a pause has killed a check; leaves the note in place. The container's check lock must be held. */
export function hasPauseNote(scratchDir: string): boolean {
  return existsSync(join(scratchDir, PAUSE_NOTE));
}

/**
 * Whether a pause has killed a check since the last call; removes the note. The container's check lock must be held.
 */
export function consumePauseNote(scratchDir: string): boolean {
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

/** Kills the processes of an exec and waits some time for their end. @returns whether containerd knows the exec */
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
