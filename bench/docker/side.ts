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
  /** The latest checks of each container, in the order in which they were made. */
  healthLogs(): Promise<ReadonlyMap<string, readonly LoggedCheck[]>>;
}

/** As both write it into the health log: ISO 8601. */
export interface LoggedCheck {
  readonly Start: string;
  readonly End: string;
}
