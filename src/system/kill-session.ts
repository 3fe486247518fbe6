import { errnoOf } from '../lib/errors.ts';
import { listSession, readStat } from './proc.ts';

/** A process that forks faster than it is killed loses to this many rounds, each of which kills all that are there. */
const MAX_ROUNDS = 100;

/**
 * SIGKILL to every process of a session, until none is left: the probe and all the children it left (moby/moby#47583).
 *
 * @param leader the session's leader as it was when it was started, so that a pid that was given to somebody else is never hit
 * @param options.except a process that is spared
 * @returns whether none is left; a process that sleeps uninterruptibly, or is frozen, dies later
 */
export function killSession(
  leader: { readonly pid: number; readonly startTimeTicks: number },
  options: { readonly except?: number } = {},
): boolean {
  const present = readStat(leader.pid);
  if (present && present.startTimeTicks !== leader.startTimeTicks) return true;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const members = listSession(leader.pid).filter(({ pid }) => pid !== options.except);
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
