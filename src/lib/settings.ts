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
  /** The program of `healthctl compose`: an absolute path, or a name on the PATH. Default: docker-compose is searched. */
  readonly composeProvider: string | undefined;
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
  /** Programs to start and servers to notify after an event. Default none. */
  readonly hooks: readonly HookSettings[];
  /** Name or id of a group that may use the monitor's sockets besides root. Default none. */
  readonly socketGroup: string | undefined;
  readonly metrics: MetricsSettings;
  readonly page: PageSettings;
  /** Where to serve Docker's Engine API: the path of a Unix socket, or `fd://`, one of systemd. Default: nowhere. */
  readonly dockerSocket: string | undefined;
  /** Where else to serve it, on TCP. Default: nowhere. */
  readonly dockerTcp: DockerTcpSettings | undefined;
  /** The containerd namespace that clients of Docker's API see. Default: that of the settings. */
  readonly dockerNamespace: string | undefined;
}

/** What the monitor exports as metrics, and where. */
export interface MetricsSettings {
  /** Where to serve metrics besides the API socket. Default: nowhere. */
  readonly listen: ListenAddress | undefined;
  /** Default: no TLS. */
  readonly tls: TlsFiles | undefined;
  /** File with the token that clients must send. Default: no token; then only a loopback address is allowed. */
  readonly tokenFile: string | undefined;
  /** Keys of container labels that become metric labels. Default none. */
  readonly containerLabels: readonly string[];
  /** The most containers that have metrics. Default 2,000. */
  readonly maxContainers: number;
}

/** Where the monitor serves its web page, and to whom. */
export interface PageSettings {
  /** Default: nowhere. */
  readonly listen: ListenTarget | undefined;
  /** Default: no TLS. */
  readonly tls: TlsFiles | undefined;
  /** File with the token that a browser must send. Default: no token; then only a loopback address is allowed. */
  readonly tokenFile: string | undefined;
  /** Names by which browsers may ask for it, besides `localhost` and the address itself. Default none. */
  readonly hosts: readonly string[];
}

/** Docker's Engine API on TCP: with TLS only, for clients with a certificate only. */
export interface DockerTcpSettings {
  readonly listen: ListenAddress;
  readonly tls: MutualTlsFiles;
}

/** Files in PEM. */
interface MutualTlsFiles extends TlsFiles {
  /** The authorities of clients. */
  readonly caFile: string;
}

/** Files with the certificate chain and the private key, in PEM. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A TCP port, or the absolute path of a Unix socket. */
export type ListenTarget = ListenAddress | { readonly path: string };

export interface ListenAddress {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

/** Events that start a hook: a status change by a result, a restart of a container by its monitor. */
export const HOOK_NAMES = ['unhealthy', 'healthy', 'restart'] as const;
export type HookName = (typeof HOOK_NAMES)[number];

export type HookSettings = CommandHookSettings | UrlHookSettings;

interface AnyHookSettings {
  /** Default all. */
  readonly on: readonly HookName[];
  /** Timeout of one try. Default 10 s. */
  readonly timeoutMs: number;
  /** Number of retries after a failure. Default 0 for a command, 10 for a URL. */
  readonly retries: number;
}

/** A program to start. */
export interface CommandHookSettings extends AnyHookSettings {
  /** An absolute path and arguments. */
  readonly command: readonly string[];
}

/** What a hook with a URL posts. */
export const ALERT_FORMATS = ['json', 'slack', 'ntfy', 'alertmanager'] as const;
export type AlertFormat = (typeof ALERT_FORMATS)[number];

/** A server to send a POST to. URL and headers may contain secrets: neither is ever shown. */
export interface UrlHookSettings extends AnyHookSettings {
  /** With `http:` or `https:`. */
  readonly url: string;
  /** Default `json`. */
  readonly format: AlertFormat;
  /** A Go template for the body, with `json` only. Default: the event as JSON. */
  readonly body: string | undefined;
  /** Default `application/json`. */
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The file with the key of the signature. Default: no signature. */
  readonly secretFile: string | undefined;
  /** Further authorities in PEM, besides those of Node.js. */
  readonly caFile: string | undefined;
  /** The shortest time between two deliveries about one container. Default one minute; 0: no damping. */
  readonly minIntervalMs: number;
  /** Further labels of alerts for Alertmanager. */
  readonly labels: Readonly<Record<string, string>>;
  /** ntfy's priority of `unhealthy`, 1 to 5. Default 4. */
  readonly priority: number;
}
