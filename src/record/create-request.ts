import type { GivenHealthConfig } from '../health/config.ts';
import type { RestartPolicy } from '../health/restart-policy.ts';
import type { PortRequest } from '../network/port-spec.ts';
import type { DeviceRequest } from '../oci/devices.ts';
import type { Bind, Tmpfs, VolumeRequest } from '../oci/mounts.ts';
import type { NamespaceModes } from '../oci/namespaces.ts';
import type { SecurityOptions } from '../oci/parse.ts';
import type { Limits } from '../oci/resources.ts';
import type { Rlimit } from '../oci/types.ts';
import type { EndpointConfig } from './endpoint-config.ts';
import type { LogConfig } from './log-config.ts';
import type { NameOptions } from './network-config.ts';

/** Network settings of a new container. */
interface NetworkingRequest extends NameOptions {
  readonly publish: readonly PortRequest[];
  readonly publishAll: boolean;
  /** `80/tcp`. */
  readonly expose: readonly string[];
  /**
   * What was asked for on networks, by their names or ids, in their order; that of the network mode may be among them.
   */
  readonly endpoints: readonly EndpointConfig[];
  /** A network may be missing until the start, as in Docker's API. Default: the create is refused. */
  readonly mayLackNetworks?: boolean;
}

/** The streams of the container that are connected to the user who runs it. */
export interface AttachedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** The parsed options of `run` and `create`. */
export interface CreateRequest {
  /** As typed. */
  readonly image: string;
  /** The arguments after the image. */
  readonly command: readonly string[];
  readonly name?: string;
  readonly hostname?: string;
  /** The NIS domain, and the end of the full name in `/etc/hosts`. */
  readonly domainname?: string;
  /** `NAME=value`, or `NAME` alone to remove it. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly binds: readonly Bind[];
  readonly volumes: readonly VolumeRequest[];
  readonly tmpfs: readonly Tmpfs[];
  readonly workingDir?: string;
  readonly user?: string;
  readonly groupAdd: readonly string[];
  /** Instead of the image's: `['']` is none. */
  readonly entrypoint?: readonly string[];
  readonly readOnly: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly privileged: boolean;
  readonly security: SecurityOptions;
  /** Instead of those that are hidden, or read-only, in every container that is not privileged. */
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  /** `none`, `host`, `container:NAME`, or the name of a network. */
  readonly network: string;
  readonly networking: NetworkingRequest;
  readonly stopSignal?: string;
  readonly stopTimeoutS?: number;
  readonly init: boolean;
  readonly limits: Limits;
  /** -1000 to 1000. */
  readonly oomScoreAdj: number;
  /** Containers to join, by name or id, as given. */
  readonly namespaces: NamespaceModes;
  readonly devices: readonly DeviceRequest[];
  /** As given: see parseDeviceRule. */
  readonly deviceRules: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** For the OCI runtime. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Absolute: the file that gets the pid of the main process at each start. */
  readonly pidfile?: string;
  readonly ulimits: readonly Rlimit[];
  /** Bytes. */
  readonly shmSize?: number;
  readonly runtime?: string;
  readonly tty: boolean;
  /** The first size of its terminal. */
  readonly consoleSize?: { readonly width: number; readonly height: number };
  readonly attach: AttachedStreams;
  readonly openStdin: boolean;
  /** The container's stdin ends when the first attached client's does. */
  readonly stdinOnce: boolean;
  readonly autoRemove: boolean;
  /** Valid; undefined: that of the image alone. */
  readonly health: GivenHealthConfig | undefined;
  readonly restart: RestartPolicy;
  readonly log: LogConfig;
  /** Docker's `Healthcheck` to show for a container that neither request nor image gives a test. */
  readonly shownHealthcheck?: Readonly<Record<string, unknown>>;
  /** Keys of Docker's `HostConfig` to show exactly as they were asked for. */
  readonly shownHostConfig?: Readonly<Record<string, unknown>>;
}
