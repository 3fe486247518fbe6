import type { CheckReport } from '../../check/check.ts';
import type { TaskRecord } from '../../containerd/tasks.ts';
import type { HealthState, Run } from '../../health/state.ts';
import type { HealthDocument } from '../../health/state-json.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { LagSummary } from '../../monitor/lags.ts';
import type { CompactRecord } from '../../record/compact-record.ts';

/** The answers of the monitor's API, JSON over HTTP on a Unix socket; docs/openapi.json describes it. */

/** `GET /v1/namespaces/{ns}/containers`: a container in lists. */
export interface ContainerSummary {
  readonly record: CompactRecord;
  readonly task: (Pick<TaskRecord, 'pid' | 'status' | 'exitStatus'> & { readonly exitedAtMs?: number }) | null;
  readonly run: Run | null;
  readonly health: HealthState | null;
  /**
   * The last result, without its output. Times are RFC 3339, and its end also in milliseconds since boot. Null before
   * the first one.
   */
  readonly lastCheck: {
    readonly start: string;
    readonly end: string;
    readonly exitCode: number;
    readonly endBootMs?: number;
  } | null;
  /**
   * When the next check is due, RFC 3339. Null while none is planned: without a check, while it is paused or does not
   * run, and while a check is in flight. An older monitor does not send it.
   */
  readonly nextCheckAt?: string | null;
  /** It has ended, and the monitor will start it after a delay. */
  readonly isRestarting: boolean;
  /** When the monitor will restart it, RFC 3339. */
  readonly nextRestart: string | null;
  /** Its shim does not answer: task, run and health are the last known ones. */
  readonly isStateUnknown: boolean;
}

/** `GET /v1/namespaces/{ns}/containers/{name}/health` */
export type HealthAnswer = HealthDocument<'none' | HealthState['status']>;

/** `POST /v1/namespaces/{ns}/containers/{name}/healthcheck` */
export type CheckAnswer = CheckReport;

/** `GET /v1/daemon` */
export interface DaemonStatus {
  /** Identifies this process: a request to end names it, so that no other one ends. */
  readonly id: string;
  readonly version: string;
  /** Short hash of the commit that was built. */
  readonly commit: string;
  /** The file that was started, by its real path. */
  readonly program: string;
  readonly apiVersion: number;
  readonly pid: number;
  readonly startedAt: string;
  /** Whether a command started it: then a newer command may replace it, and it ends when it has no work. */
  readonly isAutostarted: boolean;
  readonly address: string;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Whether containerd answers. */
  readonly isLive: boolean;
  readonly containers: number;
  readonly watched: number;
  /** Running containers that are unhealthy. */
  readonly unhealthy: number;
  /**
   * Containers whose last check could not be made or recorded: their health is the last known one.
   */
  readonly troubled: number;
  readonly checksInFlight: number;
  readonly checksWaiting: number;
  readonly checksMade: number;
  readonly lag: LagSummary | null;
  readonly memoryBytes: number;
  /** Open file descriptors of the process, and their limit. Checks do not use the last ones. */
  readonly descriptors: { readonly open: number; readonly limit: number };
  /** Where it serves Docker's Engine API. Absent if nowhere; an older monitor does not send it. */
  readonly dockerApi?: DockerApi;
}

/** Docker's Engine API of one containerd namespace. */
export interface DockerApi {
  readonly namespace: string;
  /** What clients put into DOCKER_HOST: `unix:///run/healthctl/docker.sock`. */
  readonly hosts: readonly string[];
}

/** The body of every error answer. */
export interface ErrorAnswer {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly exitCode?: number;
}
