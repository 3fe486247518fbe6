import type { Result, SeenResults } from './result.ts';

/** One of the two sides of a comparison. Both have the same `run`, `rm`, `ps` and `events`. */
export interface Side {
  readonly name: 'healthctl' | 'Docker';
  /** E.g. `Docker 28.5.2, containerd 2.1.9, runc 1.1.5`. */
  readonly versions: string;
  /** The beginning of a command line, before the command. */
  readonly program: readonly string[];
  readonly env: Record<string, string>;
  /** The process that schedules the checks: healthctl's monitor, or dockerd. */
  readonly daemonPid: number;
  /** The name of the cpuacct cgroup in which everything of this side runs, in `/sys/fs/cgroup/cpuacct`. */
  readonly group: string;
  /**
   * A file with the seccomp profile of its containers: loading it is a large part of a check's cost, and the defaults
   * of the two differ.
   */
  readonly seccomp: string;
  /** Checks since the daemon's start. */
  checksMade(): number;
  /** The latest results of all containers. */
  results(): Promise<readonly Result[]>;
  /**
   * Reports the present results of these containers, then each new one. Resolves when no later result can be missed.
   */
  followResults(ids: ReadonlySet<string>, onResults: (seen: SeenResults) => void): Promise<Following>;
}

export interface Following {
  /** Rejects if results can be missed; never resolves. */
  readonly failed: Promise<never>;
  /** Reports what is not reported yet, and then nothing more. */
  stop(): Promise<void>;
}

export interface Sides<T> {
  readonly healthctl: T;
  readonly docker: T;
}

/** One side after the other; the next round begins with the other side. */
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
