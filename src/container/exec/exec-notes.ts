import { constants, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Tasks } from '../../containerd/tasks.ts';
import { apiExecIdOf } from '../../events/api-exec.ts';
import type { Clock } from '../../lib/clock.ts';
import { errnoOf, hasCode, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type FileLock, lockFile } from '../../system/flock.ts';

/** Prefix of the ids of execs by the command line; the rest is random. */
export const EXEC_PREFIX = 'healthctl-exec-';

const isUsersExec = (name: string): boolean => name.startsWith(EXEC_PREFIX) || apiExecIdOf(name) !== undefined;

/**
 * A directory in the container's run directory, named after an exec: it contains the FIFOs, and records that the exec
 * may exist. containerd keeps an exec that has ended until it or the container's task is deleted; a client that left
 * before the end (`exec -d`, a killed client) cannot delete it. The next exec in the container does. A lock on the
 * directory shows which clients are still there.
 */
export interface ExecNote {
  readonly dir: string;
  /** Removes it: the exec is gone. Of `remove` and `leave` only the first call has an effect. */
  remove(): void;
  /** Keeps the directory, without its content: the exec continues. */
  leave(): void;
}

/** Writes the note before the exec is created. */
export async function writeExecNote(runDir: string, execId: string, clock: Clock): Promise<ExecNote> {
  // Locked under a name that no sweep touches.
  const unnamed = mkdtempSync(join(runDir, '.exec-'));
  const dir = join(runDir, execId);
  let lock: FileLock | undefined;
  try {
    lock = await lockDirectory(unnamed, clock);
    renameSync(unnamed, dir);
  } catch (error) {
    lock?.release();
    rmSync(unnamed, { recursive: true, force: true });
    throw error;
  }
  const held = lock;
  let isHeld = true;
  const finish = (work: () => void): void => {
    if (!isHeld) return;
    isHeld = false;
    work();
    held.release();
  };
  return {
    dir,
    remove: () => finish(() => rmSync(dir, { recursive: true, force: true })),
    leave: () =>
      finish(() => {
        for (const name of namesIn(dir)) rmSync(join(dir, name), { force: true });
      }),
  };
}

export interface ExecSweep {
  readonly tasks: Tasks;
  readonly clock: Clock;
  readonly log: Logger;
  readonly containerId: string;
  readonly runDir: string;
}

/** Deletes execs that have ended without a waiting client. Never fails: the next call tries again. */
export async function sweepEndedExecs(sweep: ExecSweep): Promise<void> {
  for (const execId of namesIn(sweep.runDir).filter(isUsersExec)) {
    try {
      await sweepExec(sweep, execId);
    } catch (error) {
      sweep.log.debug(`exec ${execId} is left to the next one: ${messageOf(error)}`);
    }
  }
}

async function sweepExec({ tasks, clock, containerId, runDir }: ExecSweep, execId: string): Promise<void> {
  const dir = join(runDir, execId);
  let lock: FileLock;
  try {
    lock = await lockDirectory(dir, clock);
  } catch (error) {
    if (hasCode(error, 'TIMEOUT') || errnoOf(error) === 'ENOENT') return; // a client waits for it, or has just finished
    throw error;
  }
  try {
    const exec = await tasks.findExec({ containerId, execId });
    if (exec && exec.status !== 'stopped') return;
    if (exec) await tasks.deleteExec({ containerId, execId });
    rmSync(dir, { recursive: true, force: true });
  } finally {
    lock.release();
  }
}

/** Removes all notes: a container that is about to start has no execs. */
export function forgetExecNotes(runDir: string): void {
  for (const name of namesIn(runDir)) {
    if (isUsersExec(name) || name.startsWith('.exec-')) rmSync(join(runDir, name), { recursive: true, force: true });
  }
}

function lockDirectory(path: string, clock: Clock): Promise<FileLock> {
  return lockFile({ path, flags: constants.O_RDONLY | constants.O_DIRECTORY, timeoutMs: 0 }, clock);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
