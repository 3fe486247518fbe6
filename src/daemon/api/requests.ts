import { HEALTH_STATUSES, type HealthState, type Run } from '../../health/state.ts';
import {
  type Guard,
  isBoolean,
  isCount,
  isDate,
  isNumber,
  isObject,
  isText,
  isTexts,
  listOf,
  mapOf,
  objectOf,
  oneOf,
  optional,
} from '../../lib/shape.ts';
import type { CompactRecord } from '../../record/compact-record.ts';
import type { ContainerDocument } from '../../record/document.ts';
import type { CheckAnswer, ContainerSummary, DaemonStatus } from './answers.ts';

/** A request to the monitor, with the form of its answer. */
export interface MonitorRequest<T> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `/v1`, e.g. `/daemon`. */
  readonly path: string;
  readonly isAnswer: Guard<T>;
}

const nullOr =
  <T>(guard: Guard<T>): Guard<T | null> =>
  (value): value is T | null =>
    value === null || guard(value);
const isNothing: Guard<undefined> = (value) => value === undefined;

const isHealthState: Guard<HealthState> = (value): value is HealthState => isStateInAnswer(value);
// JSON has no undefined: `run` is absent where nerdctl wrote the state.
const isStateInAnswer = objectOf({
  status: oneOf(HEALTH_STATUSES),
  failingStreak: isCount,
  inStartPeriod: isBoolean,
  run: optional(isText),
  testSinceMs: optional(isNumber),
});
const isRun: Guard<Run> = objectOf({
  id: isText,
  startedAtMs: isNumber,
  startedBootMs: optional(isNumber),
  testSinceMs: optional(isNumber),
  testSinceBootMs: optional(isNumber),
});

const isStatus: Guard<DaemonStatus> = objectOf({
  id: isText,
  version: isText,
  commit: isText,
  program: isText,
  apiVersion: isNumber,
  pid: isNumber,
  startedAt: isDate,
  isAutostarted: isBoolean,
  address: isText,
  namespaces: isTexts,
  isLive: isBoolean,
  containers: isCount,
  watched: isCount,
  unhealthy: isCount,
  troubled: isCount,
  checksInFlight: isCount,
  checksWaiting: isCount,
  checksMade: isCount,
  lag: nullOr(objectOf({ count: isCount, p50Ms: isNumber, p99Ms: isNumber, maxMs: isNumber })),
  memoryBytes: isCount,
  descriptors: objectOf({ open: isCount, limit: isNumber }),
  dockerApi: optional(objectOf({ namespace: isText, hosts: isTexts })),
});

const isRecord: Guard<CompactRecord> = objectOf({
  id: isText,
  labels: mapOf(isText),
  image: isText,
  runtime: isText,
  snapshotter: isText,
  snapshotKey: isText,
  createdAtMs: isNumber,
  stored: optional(isText),
  spec: optional(isText),
});
const isSummary: Guard<ContainerSummary> = objectOf({
  record: isRecord,
  task: nullOr(
    objectOf({
      pid: isNumber,
      status: oneOf(['created', 'running', 'stopped', 'paused', 'pausing', 'unknown']),
      exitStatus: isNumber,
      exitedAtMs: optional(isNumber),
    }),
  ),
  run: nullOr(isRun),
  health: nullOr(isHealthState),
  lastCheck: nullOr(objectOf({ start: isDate, end: isDate, exitCode: isNumber, endBootMs: optional(isNumber) })),
  nextCheckAt: optional(nullOr(isDate)),
  isRestarting: isBoolean,
  nextRestart: nullOr(isDate),
  isStateUnknown: isBoolean,
});

// The fields that commands read; the others are printed as they come.
const isShownDocument = objectOf({
  Id: isText,
  Name: isText,
  State: objectOf({
    Status: isText,
    Pid: isNumber,
    StartedAt: isDate,
    Health: optional(objectOf({ Status: isText, Log: listOf(objectOf({ Start: isDate, End: isDate })) })),
  }),
  Config: objectOf({ Healthcheck: optional(isObject) }),
});
const isDocument: Guard<ContainerDocument> = (value): value is ContainerDocument => isShownDocument(value);

const isResult = objectOf({
  start: isDate,
  end: isDate,
  exitCode: isNumber,
  output: isText,
  endBootMs: optional(isNumber),
});
const isRecorded = objectOf({
  kind: oneOf(['recorded']),
  result: isResult,
  state: isHealthState,
  statusChanged: isBoolean,
});
const isDropped = objectOf({
  kind: oneOf(['dropped']),
  reason: oneOf(['cancelled', 'paused', 'ended', 'unknown']),
});
const isReport: Guard<CheckAnswer> = (value): value is CheckAnswer => isRecorded(value) || isDropped(value);

/** `/namespaces/{ns}/containers/{name}`, with an optional suffix. */
const containerPath = (namespace: string, name: string, rest = ''): string =>
  `/namespaces/${namespace}/containers/${encodeURIComponent(name)}${rest}`;

const request = <T>(method: MonitorRequest<T>['method'], path: string, isAnswer: Guard<T>): MonitorRequest<T> => ({
  method,
  path,
  isAnswer,
});

/** What the command line asks the monitor; docs/openapi.json describes each. */
export const REQUESTS = {
  status: request('GET', '/daemon', isStatus),
  /** The status of a monitor of any version: its fields are unknown. */
  anyStatus: request('GET', '/daemon', isObject),
  end: (id: string) => request('DELETE', `/daemon/${id}`, isNothing),
  /** For monitors of 0.1.0, which have no id. */
  endWithoutId: request('POST', '/daemon/stop', isNothing),
  list: (namespace: string) => request('GET', `/namespaces/${namespace}/containers`, listOf(isSummary)),
  inspect: (namespace: string, name: string) => request('GET', containerPath(namespace, name), isDocument),
  remove: (namespace: string, name: string, options: { readonly force: boolean; readonly volumes: boolean }) => {
    const query = new URLSearchParams({
      ...(options.force ? { force: '1' } : {}),
      ...(options.volumes ? { volumes: '1' } : {}),
    });
    return request('DELETE', containerPath(namespace, name, query.size === 0 ? '' : `?${query}`), isNothing);
  },
  check: (namespace: string, name: string) => request('POST', containerPath(namespace, name, '/healthcheck'), isReport),
  flushHistory: request('POST', '/history/flush', isNothing),
  refresh: (namespace: string, id: string) => request('POST', containerPath(namespace, id, '/refresh'), isNothing),
};
