import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import { isAlive, listPids, type ProcessStat, readStat } from './proc.ts';

/**
 * Number of rounds, each of which kills all processes found: a process that forks faster than it is killed loses to
 * this many.
 */
const MAX_ROUNDS = 100;
/**
 * Rounds without a new process before a session counts as gone: a single round may miss a process that keeps replacing
 * itself by a child.
 */
const QUIET_ROUNDS = 3;
/**
 * Number of processes to examine in one turn of the event loop: with thousands of them, a round takes many turns of
 * some 3 ms each.
 */
const TURN_SIZE = 100;
/** How long to wait for the death of killed processes. */
const DEATH_LIMIT_MS = 500;
const DEATH_POLL_MS = 2;

/** The first process of a session, as of its start. */
export interface SessionLeader {
  readonly pid: number;
  readonly startTimeTicks: number;
  /** Absent: its pid, unless another value is known. */
  readonly session?: number;
}

/**
 * Records the leader; call it right after a process was started: once the process has ended, its session cannot be
 * found out. For a process that is already gone only the pid is known.
 */
export function sessionLeaderOf(pid: number): SessionLeader {
  const stat = readStat(pid);
  return stat
    ? { pid, startTimeTicks: stat.startTimeTicks, session: sessionOf(stat) }
    : { pid, startTimeTicks: Number.NaN };
}

/**
 * The session in which a process was started, by its number. With runc the process leads it; with crun a process of the
 * runtime led it, and has ended. A session with another living leader, or with the parent in it, is not the process's
 * own.
 */
function sessionOf({ pid, parentPid, sessionId }: ProcessStat): number {
  if (sessionId <= 0 || sessionId === pid || isAlive(readStat(sessionId))) return pid;
  return readStat(parentPid)?.sessionId === sessionId ? pid : sessionId;
}

/**
 * Sends SIGKILL to every process of a session until none is left that could fork: the probe and all children that it
 * left (moby/moby#47583). Yields to other work in between, however many processes there are.
 *
 * @param leader from sessionLeaderOf: a pid that was reused meanwhile is never hit
 * @param options.except a process to spare
 * @param options.descendants also descendants of the leader in sessions of their own
 * @param options.clock waits for the death of the killed processes, for at most half a second; absent: does not wait
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
      sendKill(stat.pid); // in the same turn as the lookup: its pid is not reused yet
      if (options.except === undefined && stat.sessionId === session) sendKillToGroup(stat);
      killed.set(stat.pid, stat);
    });
    quietRounds = isNew ? 0 : quietRounds + 1;
    if (killed.size === 0 || quietRounds >= QUIET_ROUNDS) return haveDied([...killed.values()], options.clock);
  }
  return false;
}

/** All processes, a limited number in each turn of the event loop. */
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

/**
 * Kills the process group of a process, in the same turn as its lookup. The kernel does so at once, with children that
 * begin meanwhile: one that replaces itself faster than it can be found does not escape.
 */
export function sendKillToGroup({ groupId }: Pick<ProcessStat, 'groupId'>): void {
  if (groupId > 1) sendKill(-groupId);
}

export function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}
