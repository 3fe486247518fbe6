import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { errnoOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { readStat } from './proc.ts';

/** A nice value (sched(7)): on a busy machine it gives nine times the share of a default process. */
const RAISED = -10;
const AUTOGROUP = '/proc/self/autogroup';

/**
 * Lets this process run soon when it has work: on a busy machine, lateness would make healthy containers appear
 * unhealthy.
 *
 * A nice value counts only among the processes of a session if the kernel groups by session (sched(7), "The autogroup
 * feature"); the group has a nice value too. We change it only if the session is ours alone. A process started with a
 * nice value other than 0 keeps it.
 */
export function raisePriority(log: Pick<Logger, 'debug'>): void {
  try {
    if (getPriority() !== 0) return;
    setPriority(RAISED);
    if (readStat(process.pid)?.sessionId === process.pid) raiseAutogroup();
  } catch (error) {
    log.debug(`the priority is not raised: ${messageOf(error)}`);
  }
}

/**
 * Starts a program of a user's at default priority, so that it and its children have what they would have without us.
 * The priority is lowered during the start, which is synchronous: once its pid is known, it may already have started
 * others.
 */
export function atPlainPriority<T>(start: () => T): T {
  if (getPriority() !== RAISED) return start();
  setPriority(0);
  try {
    return start();
  } finally {
    setPriority(RAISED);
  }
}

function raiseAutogroup(): void {
  let fd: number;
  try {
    fd = openSync(AUTOGROUP, constants.O_RDWR);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return; // a kernel without the feature
    throw error;
  }
  try {
    if (/ nice 0$/m.test(readFileSync(fd, 'latin1'))) writeSync(fd, `${RAISED}`);
  } finally {
    closeSync(fd);
  }
}
