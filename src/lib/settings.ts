/** Settings of one call. In rising priority: defaults, config file, environment, global flags. */
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
  /**
   * The root of nerdctl's container directories: a state directory is trusted only below it. Default /var/lib/nerdctl.
   */
  readonly nerdctlDataRoot: string;
  /** Number of results to keep for each container. Default 5, as in Docker. */
  readonly healthLogEntries: number;
  readonly network: NetworkSettings;
  readonly monitor: MonitorSettings;
  readonly history: HistorySettings;
  readonly debug: boolean;
}

/** Only in the configuration file, because every process of healthctl must agree on them. */
export interface NetworkSettings {
  /** The network of containers without `--network`. Default `bridge`. */
  readonly defaultNetwork: string;
  /** The subnet of the network `bridge`, used at its creation. Default: one that the host does not use. */
  readonly bridgeSubnet: string | undefined;
  /** The directory of CNI's plugins. Default: where distributions install them. */
  readonly cniBinDir: string | undefined;
}

/** What the monitor keeps of past results. Only in the configuration file. */
export interface HistorySettings {
  /** Default true. */
  readonly isEnabled: boolean;
  /** How long it is kept, in milliseconds. Default seven days. */
  readonly maxAgeMs: number;
  /** Size of all its files, in bytes. Default 256 MiB. */
  readonly maxBytes: number;
}

/**
 * How checks are scheduled and run. Only in the configuration file, because every process of healthctl must agree on
 * them.
 */
export interface MonitorSettings {
  /** Whether commands start the monitor when a container needs it. Default true. */
  readonly autostart: boolean;
  /** `daemon` (default): one process for all containers. `systemd`: a timer for each. */
  readonly scheduler: 'daemon' | 'systemd';
  /** Whether to check nerdctl's containers. `auto` (default): unless a timer of nerdctl's does. */
  readonly adopt: 'auto' | 'always' | 'never';
  /** containerd namespaces to monitor. Empty (default): all. */
  readonly namespaces: readonly string[];
  /** How many check commands may be started in containers at once. Default four per processor. */
  readonly maxChecks: number;
  /** Idle time in milliseconds after which a monitor that a command started ends. Default ten minutes. */
  readonly idleTimeoutMs: number;
  /** How to run commands of checks that do not name a mode. Default `fresh`. */
  readonly exec: 'fresh' | 'resident';
  /** Programs to start after an event. Default none. */
  readonly hooks: readonly HookSettings[];
  /** Name or id of a group that may use the monitor's sockets besides root. Default none. */
  readonly socketGroup: string | undefined;
  readonly metrics: MetricsSettings;
}

/** What the monitor exports as metrics, and where. */
export interface MetricsSettings {
  /** Where to serve metrics besides the API socket. Default: nowhere. */
  readonly listen: ListenAddress | undefined;
  /** Files with the certificate chain and the private key, in PEM. Default: no TLS. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** File with the token that clients must send. Default: no token; then only a loopback address is allowed. */
  readonly tokenFile: string | undefined;
  /** Keys of container labels that become metric labels. Default none. */
  readonly containerLabels: readonly string[];
  /** The most containers that have metrics. Default 2,000. */
  readonly maxContainers: number;
}

export interface ListenAddress {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

/** Events that start a hook: a status change by a result, a restart of a container by its monitor. */
export const HOOK_NAMES = ['unhealthy', 'healthy', 'restart'] as const;
export type HookName = (typeof HOOK_NAMES)[number];

export interface HookSettings {
  /** Default all. */
  readonly on: readonly HookName[];
  /** An absolute path and arguments. */
  readonly command: readonly string[];
  /** Timeout of one try. Default 10 s. */
  readonly timeoutMs: number;
  /** Number of retries after a failure. Default 0. */
  readonly retries: number;
}
