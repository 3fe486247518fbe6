import { readFileSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';
import { cgroupFileOf } from './cgroup-file.ts';
import type { SessionLeader } from './kill-session.ts';
import { isAlive, listSession, readStat } from './proc.ts';

/** Controllers of cgroup v1 of which any will do: a container's processes are in all of them. */
const CONTROLLERS = ['pids', 'memory', 'freezer'];

/** Looks for processes of one session again and again, cheaply: among those of its leader's cgroup, and of those at the new ones only. */
export interface SessionView {
  /** Whether there is a living process of the session besides its leader. */
  hasOthers(): boolean;
}

/** @param started its first process, which is in the cgroup of its container */
export function createSessionView({ pid: leader, session = leader }: SessionLeader): SessionView {
  const path = cgroupFileOf(leader, CONTROLLERS, 'cgroup.procs');
  /** Of other sessions. */
  let strangers = new Set<number>();
  return {
    hasOthers: () => {
      const pids = path === undefined ? undefined : pidsIn(path);
      if (!pids) return listSession(session).some(({ pid }) => pid !== leader);
      const known = strangers;
      strangers = new Set(pids.filter((pid) => known.has(pid)));
      for (const pid of pids) {
        if (pid === leader || strangers.has(pid)) continue;
        const stat = readStat(pid);
        if (stat?.sessionId !== session) strangers.add(pid);
        else if (isAlive(stat)) return true;
      }
      return false;
    },
  };
}

function pidsIn(path: string): readonly number[] | undefined {
  try {
    return readFileSync(path, 'latin1').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
