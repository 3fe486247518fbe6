import { readFileSync } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import { eachProcess, haveDied, sendKill, sendKillToGroup } from './kill-session.ts';
import { isAlive, type ProcessStat } from './proc.ts';

/**
 * Number of rounds, each of which kills all processes found: a process that forks faster than it is killed loses to
 * this many.
 */
const MAX_ROUNDS = 100;

/**
 * Sends SIGKILL to a process of ours and all its descendants, until none is left: its session, its children, and every
 * process with the variable that it was started with. The variable finds a daemon that left the session and now has
 * another parent. It misses only one that also changed its environment before.
 *
 * @param leader the process, which leads a session and has not been waited for, so that its pid is not reused
 * @param mark a variable with its value, unique to it, e.g. `HEALTHCTL_HOOK_RUN=3f9a…`
 * @returns whether none is left
 */
export async function killMarked(
  leader: number,
  mark: string,
  { clock }: { readonly clock: Pick<Clock, 'sleep'> },
): Promise<boolean> {
  const killed = new Map<number, ProcessStat>();
  const isFrom = ({ pid, sessionId, parentPid }: ProcessStat): boolean =>
    pid === leader || sessionId === leader || killed.has(parentPid) || hasVariable(pid, mark);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    let isNew = false;
    await eachProcess((stat) => {
      if (!isAlive(stat) || !isFrom(stat)) return;
      isNew ||= killed.get(stat.pid)?.startTimeTicks !== stat.startTimeTicks;
      sendKill(stat.pid); // in the same turn as the lookup
      if (stat.sessionId === leader) sendKillToGroup(stat);
      killed.set(stat.pid, stat);
    });
    if (!isNew) return haveDied([...killed.values()], clock);
  }
  return false;
}

/** Whether a process was started with this variable. False if it is gone or we may not read it. */
function hasVariable(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
