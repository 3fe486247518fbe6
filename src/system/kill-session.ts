import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import { isAlive, listPids, type ProcessStat, readStat } from './proc.ts';

/** A process that forks faster than it is killed loses to this many rounds, each of which kills all that are there. */
const MAX_ROUNDS = 100;
/** Rounds that find nobody new, until a session counts as gone: what goes on in a child again and again may be missed by one of them. */
const QUIET_ROUNDS = 3;
/** Processes that are looked at in one turn of the event loop: with thousands of them a round takes many turns, of some 3 ms each. */
const TURN_SIZE = 100;
/** How long to wait for killed processes to be gone. */
const DEATH_LIMIT_MS = 500;
const DEATH_POLL_MS = 2;

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
 * SIGKILL to every process of a session, until none is left that could fork: the probe and all the children it left (moby/moby#47583). Other
 * work gets its turn meanwhile, however many there are.
 *
 * @param leader from sessionLeaderOf: a pid that was given to somebody else meanwhile is never hit
 * @param options.except a process that is spared
 * @param options.descendants also what descends from the leader and has a session of its own
 * @param options.clock waits for the death of what was killed, for half a second at most; absent: does not wait
 * @returns whether none is left; a process that sleeps uninterruptibly, or is frozen, dies later
 */
export async function killSession(
  leader: SessionLeader,
  options: { readonly except?: number; readonly descendants?: boolean; readonly clock?: Pick<Clock, 'sleep'> } = {},
): Promise<boolean> {
  const present = readStat(leader.pid);
  if (present && present.startTimeTicks !== leader.startTimeTicks) return true;
  const session = leader.session ?? (present ? sessionOf(present) : leader.pid);
  const killed = new Map<number, ProcessStat>();
  const parents = new Set(options.descendants ? [leader.pid] : []);
  let quietRounds = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    let isNew = false;
    await eachProcess((stat) => {
      const isTheirs = stat.sessionId === session || parents.has(stat.parentPid);
      if (!isTheirs || stat.pid === options.except || !isAlive(stat)) return;
      if (options.descendants) parents.add(stat.pid);
      isNew ||= killed.get(stat.pid)?.startTimeTicks !== stat.startTimeTicks;
      sendKill(stat.pid); // in the turn in which it was looked at: its pid is nobody else's
      killed.set(stat.pid, stat);
    });
    quietRounds = isNew ? 0 : quietRounds + 1;
    if (killed.size === 0 || quietRounds >= QUIET_ROUNDS) return haveDied([...killed.values()], options.clock);
  }
  return false;
}

/** All processes, some in each turn of the event loop. */
export async function eachProcess(visit: (stat: ProcessStat) => void): Promise<void> {
  const pids = listPids();
  for (let at = 0; at < pids.length; at += TURN_SIZE) {
    if (at > 0) await nextTurn();
    for (const pid of pids.slice(at, at + TURN_SIZE)) {
      const stat = readStat(pid);
      if (stat) visit(stat);
    }
  }
}

export async function haveDied(
  killed: readonly ProcessStat[],
  clock: Pick<Clock, 'sleep'> | undefined,
): Promise<boolean> {
  let restMs = clock ? DEATH_LIMIT_MS : 0;
  for (const { pid, startTimeTicks } of killed) {
    const lives = () => {
      const stat = readStat(pid);
      return stat?.startTimeTicks === startTimeTicks && isAlive(stat);
    };
    for (; lives(); restMs -= DEATH_POLL_MS) {
      if (!clock || restMs <= 0) return false;
      await clock.sleep(DEATH_POLL_MS);
    }
  }
  return true;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}
