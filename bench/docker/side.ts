import type { Result, SeenResults } from './result.ts';

/** One of the two that are compared. Both take the same `run`, `rm`, `ps` and `events` on their command line. */
export interface Side {
  readonly name: 'healthctl' | 'Docker';
  /** E.g. `Docker 28.5.2, containerd 2.1.9, runc 1.1.5`. */
  readonly versions: string;
  /** The command line, to be followed by a command. */
  readonly program: readonly string[];
  readonly env: Record<string, string>;
  /** The process that schedules the checks: healthctl's monitor, or dockerd. */
  readonly daemonPid: number;
  /** Name of the cpuacct cgroup in which everything of this side runs, in `/sys/fs/cgroup/cpuacct`. */
  readonly group: string;
  /** A file with the seccomp profile of its containers: to load it is much of what a check costs, and the defaults of the two differ. */
  readonly seccomp: string;
  /** Checks since the daemon's start. */
  checksMade(): number;
  /** The latest results of all containers. */
  results(): Promise<readonly Result[]>;
  /** Tells what is on record of these containers, then each result that is new. Resolves when none will be missed. */
  followResults(ids: ReadonlySet<string>, tell: (seen: SeenResults) => void): Promise<Following>;
}

export interface Following {
  /** Rejects when results can be missed; never resolves. */
  readonly failed: Promise<never>;
  /** Tells what is not told yet, and then no more. */
  stop(): Promise<void>;
}

export interface Sides<T> {
  readonly healthctl: T;
  readonly docker: T;
}

/** One side after the other, and the other first in the next round. */
export async function inTurn<T>(
  sides: Sides<Side>,
  rounds: number,
  work: (side: Side) => Promise<T>,
): Promise<Sides<T[]>> {
  const seen: Sides<T[]> = { healthctl: [], docker: [] };
  for (let round = 0; round < rounds; round += 1) {
    const order = ['healthctl', 'docker'] as const;
    for (const name of round % 2 === 0 ? order : order.toReversed()) seen[name].push(await work(sides[name]));
  }
  return seen;
}
