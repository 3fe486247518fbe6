import type { HealthFlags } from '../health/flags.ts';
import type { RestartPolicy } from '../health/restart-policy.ts';
import type { Bind, Tmpfs } from '../oci/mounts.ts';
import type { SecurityOptions } from '../oci/parse.ts';
import type { Rlimit } from '../oci/types.ts';
import type { LogConfig } from './log-config.ts';

/** What `run` and `create` ask for, parsed from their options. */
export interface CreateRequest {
  /** As typed. */
  readonly image: string;
  /** What follows the image. */
  readonly command: readonly string[];
  readonly name?: string;
  readonly hostname?: string;
  /** `NAME=value`, or `NAME` alone to remove it. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly binds: readonly Bind[];
  readonly tmpfs: readonly Tmpfs[];
  readonly workingDir?: string;
  readonly user?: string;
  readonly groupAdd: readonly string[];
  /** Empty: none, not even the image's. */
  readonly entrypoint?: string;
  readonly readOnly: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly privileged: boolean;
  readonly security: SecurityOptions;
  readonly network: 'none' | 'host';
  readonly stopSignal?: string;
  readonly stopTimeoutS?: number;
  readonly init: boolean;
  /** Bytes. */
  readonly memory?: number;
  readonly nanoCpus?: number;
  readonly pidsLimit?: number;
  readonly ulimits: readonly Rlimit[];
  /** Bytes. */
  readonly shmSize?: number;
  readonly runtime?: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  /** The container's stdin ends with that of the first who attaches. */
  readonly stdinOnce: boolean;
  readonly autoRemove: boolean;
  readonly health: HealthFlags;
  readonly restart: RestartPolicy;
  readonly log: LogConfig;
}
