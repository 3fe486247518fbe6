import type { ResultKind } from '../health/result.ts';
import { HEALTH_STATUSES } from '../health/state.ts';
import { CHECK_DURATION_BOUNDS, DELAY_BOUNDS, LAG_BOUNDS } from './histogram.ts';

/** The facts of a metric that never change, in Prometheus' terms. docs/metrics.md describes each. */
export interface MetricDefinition {
  /** In base units, with the unit in the name; a counter's name ends with `_total`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  /** Unit of OpenMetrics; the name ends with it. */
  readonly unit?: 'seconds' | 'bytes';
  /** Names of its labels, besides those of every metric of a container. */
  readonly labels?: readonly string[];
}

/** The values of `status`. `none`: without a health check, or never started. */
export const STATUS_WORDS = ['none', ...HEALTH_STATUSES] as const;
/** The values of `outcome`. */
export const OUTCOME_WORDS: readonly ResultKind[] = ['success', 'failure', 'timeout', 'error'];
export type StatusWord = (typeof STATUS_WORDS)[number];

/** The labels of every metric of a container; those of `container_labels` follow. */
export const CONTAINER_LABELS = ['namespace', 'container'] as const;

/**
 * Where the numbers of a container are, in one array per container: a thousand containers with all their histograms
 * take less than a megabyte. NaN: no value.
 */
export const COLUMNS = {
  status: 0,
  failingStreak: 1,
  running: 2,
  interval: 3,
  timeout: 4,
  lag: 5,
  lastCheck: 6,
  lastChange: 7,
  restarts: 8,
  oomKills: 9,
  outcomes: 10,
  durationSum: 14,
  durationBuckets: 15,
} as const;
export const COLUMN_COUNT = COLUMNS.durationBuckets + CHECK_DURATION_BOUNDS.length + 1;

/** A metric of containers, and how its samples are read from the columns. */
export type ContainerMetric = MetricDefinition & {
  /** Not for containers without a health check. */
  readonly needsCheck?: true;
} & (
    | { readonly kind: 'info' }
    | { readonly kind: 'value'; readonly column: number }
    /** One sample for each word: 1 for the word whose index the column has. */
    | { readonly kind: 'state'; readonly column: number; readonly label: string; readonly words: readonly string[] }
    /** One sample for each word, from the columns that follow each other. */
    | { readonly kind: 'values'; readonly column: number; readonly label: string; readonly words: readonly string[] }
    | { readonly kind: 'histogram'; readonly column: number; readonly bounds: readonly number[] }
  );

export const CONTAINER_METRICS: readonly ContainerMetric[] = [
  {
    ...{ name: 'healthctl_container_info', type: 'gauge', kind: 'info', labels: ['id', 'image'] },
    help: 'A container that the monitor knows; always 1.',
  },
  {
    ...{ name: 'healthctl_container_health_status', type: 'gauge', labels: ['status'] },
    help: 'Health of the container: 1 for the present status, 0 for all others.',
    ...{ kind: 'state', column: COLUMNS.status, label: 'status', words: STATUS_WORDS },
  },
  {
    ...{ name: 'healthctl_container_running', type: 'gauge', kind: 'value', column: COLUMNS.running },
    help: 'Whether the process of the container runs: 1 or 0; 1 also while it is paused.',
  },
  {
    ...{ name: 'healthctl_container_failing_streak', type: 'gauge', needsCheck: true },
    ...{ kind: 'value', column: COLUMNS.failingStreak },
    help: 'Failed checks in a row.',
  },
  {
    ...{ name: 'healthctl_container_last_change_timestamp_seconds', type: 'gauge', unit: 'seconds' },
    ...{ kind: 'value', column: COLUMNS.lastChange },
    help: 'Time of the last change of the status; absent until the monitor has seen a change or the start.',
  },
  {
    ...{ name: 'healthctl_container_checks_total', type: 'counter', needsCheck: true, labels: ['outcome'] },
    help: 'Recorded checks by outcome; error: the check could not be started.',
    ...{ kind: 'values', column: COLUMNS.outcomes, label: 'outcome', words: OUTCOME_WORDS },
  },
  {
    ...{ name: 'healthctl_container_check_duration_seconds', type: 'histogram', unit: 'seconds', needsCheck: true },
    help: 'How long checks took.',
    ...{ kind: 'histogram', column: COLUMNS.durationSum, bounds: CHECK_DURATION_BOUNDS },
  },
  {
    ...{ name: 'healthctl_container_check_lag_seconds', type: 'gauge', unit: 'seconds', needsCheck: true },
    ...{ kind: 'value', column: COLUMNS.lag },
    help: 'Lateness of the last scheduled check: from the time at which it was due until its start.',
  },
  {
    ...{ name: 'healthctl_container_last_check_timestamp_seconds', type: 'gauge', unit: 'seconds', needsCheck: true },
    ...{ kind: 'value', column: COLUMNS.lastCheck },
    help: 'Time at which the last check ended.',
  },
  {
    ...{ name: 'healthctl_container_check_interval_seconds', type: 'gauge', unit: 'seconds', needsCheck: true },
    ...{ kind: 'value', column: COLUMNS.interval },
    help: 'Configured time between two checks.',
  },
  {
    ...{ name: 'healthctl_container_check_timeout_seconds', type: 'gauge', unit: 'seconds', needsCheck: true },
    ...{ kind: 'value', column: COLUMNS.timeout },
    help: 'Configured timeout of a check.',
  },
  {
    ...{ name: 'healthctl_container_restarts_total', type: 'counter', kind: 'value', column: COLUMNS.restarts },
    help: 'Restarts of the container by the monitor, for its health or by its restart policy.',
  },
  {
    ...{ name: 'healthctl_container_oom_kills_total', type: 'counter', kind: 'value', column: COLUMNS.oomKills },
    help: 'Reports of containerd that the container was out of memory and the kernel killed a process of it.',
  },
];

/** A metric of the monitor itself; `bounds` are those of a histogram. */
export type MonitorMetric = MetricDefinition & { readonly bounds?: readonly number[] };

export const MONITOR_METRICS = {
  buildInfo: {
    ...{ name: 'healthctl_build_info', type: 'gauge', labels: ['version', 'commit', 'node'] },
    help: 'The build of healthctl that runs; always 1.',
  },
  containers: {
    ...{ name: 'healthctl_monitor_containers', type: 'gauge' },
    help: 'Containers that the monitor knows.',
  },
  checked: {
    ...{ name: 'healthctl_monitor_containers_checked', type: 'gauge' },
    help: 'Containers that run and have a health check.',
  },
  troubled: {
    ...{ name: 'healthctl_monitor_containers_troubled', type: 'gauge' },
    help: 'Containers whose last check could not be made or recorded.',
  },
  notExported: {
    ...{ name: 'healthctl_monitor_containers_not_exported', type: 'gauge' },
    help: 'Containers without metrics, because max_containers others have them.',
  },
  inFlight: {
    ...{ name: 'healthctl_monitor_checks_in_flight', type: 'gauge' },
    help: 'Checks that have started and not yet ended.',
  },
  waiting: {
    ...{ name: 'healthctl_monitor_checks_waiting', type: 'gauge' },
    help: 'Checks that are due and wait in the queue for a slot.',
  },
  checkLag: {
    ...{ name: 'healthctl_monitor_check_lag_seconds', type: 'histogram', unit: 'seconds', bounds: LAG_BOUNDS },
    help: 'Lateness of all scheduled checks: from the time at which they were due until their start.',
  },
  eventLoopDelay: {
    ...{ name: 'healthctl_monitor_event_loop_delay_seconds', type: 'histogram', unit: 'seconds', bounds: DELAY_BOUNDS },
    help: 'How late a timer of the monitor fires, measured four times a second from the first scrape on.',
  },
  containerdUp: {
    ...{ name: 'healthctl_monitor_containerd_up', type: 'gauge' },
    help: 'Whether the monitor is connected to containerd and up to date: 1 or 0.',
  },
  containerdConnections: {
    ...{ name: 'healthctl_monitor_containerd_connections_total', type: 'counter' },
    help: 'Connections to the events of containerd; each but the first is a reconnect.',
  },
  containerdErrors: {
    ...{ name: 'healthctl_monitor_containerd_errors_total', type: 'counter', labels: ['code'] },
    help: 'Failed calls to containerd by error code, without those that found nothing or were cancelled.',
  },
  historyBytes: {
    ...{ name: 'healthctl_monitor_history_bytes', type: 'gauge', unit: 'bytes' },
    help: 'Size of the recorded history on the disk; absent without a history.',
  },
  cpuSeconds: {
    ...{ name: 'process_cpu_seconds_total', type: 'counter', unit: 'seconds' },
    help: 'User and system time of the monitor.',
  },
  memoryBytes: {
    ...{ name: 'process_resident_memory_bytes', type: 'gauge', unit: 'bytes' },
    help: 'Resident memory of the monitor.',
  },
  openDescriptors: {
    ...{ name: 'process_open_fds', type: 'gauge' },
    help: 'Open file descriptors of the monitor.',
  },
  maxDescriptors: {
    ...{ name: 'process_max_fds', type: 'gauge' },
    help: 'Limit of open file descriptors of the monitor.',
  },
  startTime: {
    ...{ name: 'process_start_time_seconds', type: 'gauge', unit: 'seconds' },
    help: 'Time at which the monitor started.',
  },
} as const satisfies Readonly<Record<string, MonitorMetric>>;
export type MonitorMetricName = keyof typeof MONITOR_METRICS;

/** Every exported metric. */
export const METRICS: readonly MetricDefinition[] = [...CONTAINER_METRICS, ...Object.values(MONITOR_METRICS)];
