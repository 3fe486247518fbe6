import { readFileSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';
import { cgroupFileOf } from './cgroup-file.ts';
import type { SessionLeader } from './kill-session.ts';
import { isAlive, listSession, readStat } from './proc.ts';

/** Alternative controllers of cgroup v1: a container's processes are in all of them. */
const CONTROLLERS = ['pids', 'memory', 'freezer'];

/**
 * Finds processes of one session repeatedly and cheaply: it reads only the leader's cgroup, and examines only new
 * processes in it.
 */
export interface SessionView {
  /** Whether the session has a living process besides its leader. */
  hasOthers(): boolean;
}

/** @param started its first process, which is in the cgroup of its container */
export function createSessionView({ pid: leader, session = leader }: SessionLeader): SessionView {
  const path = cgroupFileOf(leader, CONTROLLERS, 'cgroup.procs');
  /** Processes of other sessions. */
  let otherSessions = new Set<number>();
  return {
    hasOthers: () => {
      const pids = path === undefined ? undefined : pidsIn(path);
      if (!pids) return listSession(session).some(({ pid }) => pid !== leader);
      const known = otherSessions;
      otherSessions = new Set(pids.filter((pid) => known.has(pid)));
      for (const pid of pids) {
        if (pid === leader || otherSessions.has(pid)) continue;
        const stat = readStat(pid);
        if (stat?.sessionId !== session) otherSessions.add(pid);
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
