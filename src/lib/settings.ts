/** Settings of one call: defaults, then the config file, then the environment, then global flags. */
export interface Settings {
  /** Path of containerd's socket, without `unix://`. Default /run/containerd/containerd.sock. */
  readonly address: string;
  /** containerd namespace. Default `default`. */
  readonly namespace: string;
  /** Default overlayfs. */
  readonly snapshotter: string;
  /** On tmpfs: health state, FIFOs, locks. Default /run/healthctl. */
  readonly runRoot: string;
  /** Survives a reboot: logs, generated files. Default /var/lib/healthctl. */
  readonly dataRoot: string;
  /** Where nerdctl keeps its containers' directories: a state directory is believed only below it. Default /var/lib/nerdctl. */
  readonly nerdctlDataRoot: string;
  /** Results that are kept of each container. Default 5, as in Docker. */
  readonly healthLogEntries: number;
  readonly network: NetworkSettings;
  readonly monitor: MonitorSettings;
  readonly debug: boolean;
}

/** Set in the configuration file only, because every process of healthctl must agree on them. */
export interface NetworkSettings {
  /** The network of containers that name none. Default `bridge`. */
  readonly defaultNetwork: string;
  /** Of the network `bridge`, when it is made. Default: one that nothing on the host uses. */
  readonly bridgeSubnet: string | undefined;
  /** The directory of CNI's plugins. Default: where distributions put them. */
  readonly cniBinDir: string | undefined;
}

/** How checks are made by themselves. Set in the configuration file only, because every process of healthctl must agree on them. */
export interface MonitorSettings {
  /** Whether commands that leave it something to do start the monitor. Default true. */
  readonly autostart: boolean;
  /** `daemon` (default): one process for all containers. `systemd`: a timer for each. */
  readonly scheduler: 'daemon' | 'systemd';
  /** Whether checks of nerdctl's containers are made. `auto` (default): unless a timer of nerdctl's makes them. */
  readonly adopt: 'auto' | 'always' | 'never';
  /** containerd namespaces that are watched. Empty (default): all. */
  readonly namespaces: readonly string[];
  /** Commands of checks that are started in containers at once. Default four for each processor. */
  readonly maxChecks: number;
  /** A monitor that was started by a command ends itself after so many milliseconds without work. Default ten minutes. */
  readonly idleTimeoutMs: number;
  /** How commands of checks that do not say it are run. Default `fresh`. */
  readonly exec: 'fresh' | 'resident';
  /** Programs that are told what became of containers. Default none. */
  readonly hooks: readonly HookSettings[];
  /** Name or id of a group that may use the monitor's sockets besides root. Default none. */
  readonly socketGroup: string | undefined;
}

/** What a hook may be told of: a status that a result changed, a restart of a container by its monitor. */
export const HOOK_NAMES = ['unhealthy', 'healthy', 'restart'] as const;
export type HookName = (typeof HOOK_NAMES)[number];

export interface HookSettings {
  /** Default all. */
  readonly on: readonly HookName[];
  /** An absolute path and arguments. */
  readonly command: readonly string[];
  /** Of one try. Default 10 s. */
  readonly timeoutMs: number;
  /** Further tries of one that failed. Default 0. */
  readonly retries: number;
}
