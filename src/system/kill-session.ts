import { errnoOf } from '../lib/errors.ts';
import { isAlive, listSession, type ProcessStat, readStat } from './proc.ts';

/** A process that forks faster than it is killed loses to this many rounds, each of which kills all that are there. */
const MAX_ROUNDS = 100;

/** The first process of a session as it was when it was started. */
export interface SessionLeader {
  readonly pid: number;
  readonly startTimeTicks: number;
  /** Absent: its pid, as long as it is not known to be another. */
  readonly session?: number;
}

/** To be noted as soon as a process was started: once it has ended nothing tells its session. A process that is gone by now has none but its pid. */
export function sessionLeaderOf(pid: number): SessionLeader {
  const stat = readStat(pid);
  return stat
    ? { pid, startTimeTicks: stat.startTimeTicks, session: sessionOf(stat) }
    : { pid, startTimeTicks: Number.NaN };
}

/**
 * The session that a process was started in, by its number. With runc the process leads it; with crun a process of the runtime's did, which has
 * ended. A session that somebody else leads, or that the parent is in too, is not the process's own.
 */
function sessionOf({ pid, parentPid, sessionId }: ProcessStat): number {
  if (sessionId <= 0 || sessionId === pid || isAlive(readStat(sessionId))) return pid;
  return readStat(parentPid)?.sessionId === sessionId ? pid : sessionId;
}

/**
 * SIGKILL to every process of a session, until none is left: the probe and all the children it left (moby/moby#47583).
 *
 * @param leader from sessionLeaderOf: a pid that was given to somebody else meanwhile is never hit
 * @param options.except a process that is spared
 * @returns whether none is left; a process that sleeps uninterruptibly, or is frozen, dies later
 */
export function killSession(leader: SessionLeader, options: { readonly except?: number } = {}): boolean {
  const present = readStat(leader.pid);
  if (present && present.startTimeTicks !== leader.startTimeTicks) return true;
  const session = leader.session ?? (present ? sessionOf(present) : leader.pid);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const members = listSession(session).filter(({ pid }) => pid !== options.except);
    if (members.length === 0) return true;
    for (const { pid } of members) sendKill(pid);
  }
  return false;
}

function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}
