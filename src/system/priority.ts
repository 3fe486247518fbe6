import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { errnoOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { readStat } from './proc.ts';

/** A nice value (sched(7)): nine times the share of one that was not raised, when there is not enough for all. */
const RAISED = -10;
const AUTOGROUP = '/proc/self/autogroup';

/**
 * Has this process run soon when it has something to do: what is late on a busy machine otherwise finds containers unhealthy that are not.
 *
 * A nice value counts among the processes of a session, where the kernel makes a group of each (sched(7), "The autogroup feature"): the
 * group has one of its own. It is left alone in a session that is not ours alone. Who was started with another nice value than 0 keeps it.
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
 * For a program that is started on behalf of a user: it has what it would have without us, and so has what it starts. Lowered for the time of
 * the start, which is synchronous: by the time that its pid is known, it may have started others.
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
    if (errnoOf(error) === 'ENOENT') return; // a kernel without them
    throw error;
  }
  try {
    if (/ nice 0$/m.test(readFileSync(fd, 'latin1'))) writeSync(fd, `${RAISED}`);
  } finally {
    closeSync(fd);
  }
}
