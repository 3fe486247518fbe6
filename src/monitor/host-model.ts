import type { ContainerRecord } from '../containerd/containers.ts';
import type { ContainerdEvent } from '../containerd/events.ts';
import type { TaskRecord } from '../containerd/tasks.ts';
import { type CheckConfig, checkConfigOf } from '../health/config.ts';
import type { Result } from '../health/result.ts';
import { processOfRun, type Run, type StoredHealth, TICK_MS } from '../health/state.ts';
import { MAX_TEXT_BYTES } from '../history/model.ts';
import { keyOf } from '../lib/container-key.ts';
import { labelsAfterEvent } from '../lib/trusted-labels.ts';
import { processJsonOf } from '../probe/process-json.ts';
import { type CompactRecord, compactRecordOf } from '../record/compact-record.ts';
import { healthConfigOf, type Moment, runOfTask, UNKNOWN_EXIT_CODE, withTestSince } from '../record/view.ts';

/** A container in the monitor's memory: what lists and checks need, some kilobytes each. */
export interface KnownContainer {
  readonly namespace: string;
  readonly id: string;
  readonly record: CompactRecord;
  /** Undefined for a container without a check. */
  readonly config: CheckConfig | undefined;
  /** Why the health check label cannot be used. */
  readonly damage: string | undefined;
  /** Only for a container with a check. Undefined without a runtime spec. */
  readonly processJson: string | undefined;
  readonly task: TaskRecord | undefined;
  /** The run of the task, while it runs or is paused. Its start is the time of the start event, if observed. */
  readonly run: Run | undefined;
  /** Whether we observed the start of this run: then its due times are exact. */
  readonly isStartSeen: boolean;
  /** Whether the kernel killed a process of this run for lack of memory. */
  readonly isOutOfMemory: boolean;
  /** Its shim does not answer: task and run are the last known ones. */
  readonly isShimSilent?: boolean;
  /** Its stored health; of the log only the last result, with the beginning of its output if it is a failure. */
  readonly stored: StoredHealth;
}

/** What an event requires besides the change that it made. */
export type Effect =
  | { readonly kind: 'none' }
  /** The container has to be requested: the event does not contain enough. */
  | { readonly kind: 'unknown'; readonly namespace: string; readonly id: string }
  | { readonly kind: 'changed'; readonly container: KnownContainer }
  | {
      readonly kind: 'exited';
      readonly container: KnownContainer;
      readonly exitStatus: number;
      readonly exitedAtMs: number;
    }
  | { readonly kind: 'deleted'; readonly container: KnownContainer };

/** Containers and tasks of a host, from containerd's lists and events. */
export interface HostModel {
  get(key: string): KnownContainer | undefined;
  all(): Iterable<KnownContainer>;
  readonly size: number;
  /** Number of changes to a container by events: an answer that was requested before one is outdated. */
  versionOf(key: string): number;
  /** Applies containerd's present answer; undefined if it has no such container. */
  put(at: { readonly namespace: string; readonly id: string }, found: Found | undefined): KnownContainer | undefined;
  /** Updates the health in memory. */
  remember(key: string, stored: StoredHealth): void;
  apply(event: ContainerdEvent): Effect;
}

export interface Found {
  readonly record: ContainerRecord;
  readonly task: TaskRecord | undefined;
}

const NOTHING_STORED: StoredHealth = { log: [], state: undefined };
const NONE: Effect = { kind: 'none' };

/** @param momentOfNow wall time and boot id, read at each start */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createHostModel(momentOfNow: () => Moment): HostModel {
  const containers = new Map<string, KnownContainer>();
  const versions = new Map<string, number>();

  const set = (container: KnownContainer): KnownContainer => {
    containers.set(keyOf(container), container);
    return container;
  };
  const put: HostModel['put'] = ({ namespace, id }, found) => {
    const key = keyOf({ namespace, id });
    const before = containers.get(key);
    if (!found) {
      containers.delete(key);
      versions.delete(key);
      return undefined;
    }
    const { record } = found;
    const isShimSilent = found.task?.status === 'unknown';
    // The last known task holds until the shim answers again.
    const task = isShimSilent && before?.task ? before.task : (found.task ?? (before && endOf(before)));
    const checked = checkOf(record.labels);
    const run = runOfTask(record.labels, task, momentOfNow());
    const isSameRun = before?.run !== undefined && before.run.id === run?.id;
    return set({
      ...{ namespace, id, task, ...checked },
      record: compactRecordOf(record),
      processJson: checked.config ? processJsonOrNone(record) : undefined,
      run: isSameRun ? withTestSince(before.run, record.labels) : run,
      isStartSeen: isSameRun && before.isStartSeen,
      isOutOfMemory: isSameRun && before.isOutOfMemory,
      isShimSilent,
      stored: before?.stored ?? NOTHING_STORED,
    });
  };

  const started = (container: KnownContainer, pid: number, atMs: number): Effect => {
    const task: TaskRecord = { ...NO_TASK, ...container.task, containerId: container.id, pid, status: 'running' };
    const moment = momentOfNow();
    const found = runOfTask(container.record.labels, task, moment);
    // It has already ended: the event that reports it follows.
    const run = found && { ...found, startedAtMs: atMs, startedBootMs: bootTimeOf(atMs, found, moment) };
    return changed({ ...container, task, run, isStartSeen: true, isOutOfMemory: false });
  };
  const exited = (container: KnownContainer, event: Extract<ContainerdEvent, { kind: 'task-exited' }>): Effect => {
    const { exitStatus, exitedAtMs, pid } = event;
    const { task: before, run } = container;
    if (before && before.pid !== pid && run) return NONE; // of an earlier run
    const task: TaskRecord = {
      ...NO_TASK,
      ...container.task,
      containerId: container.id,
      pid,
      exitStatus,
      exitedAtMs,
      status: 'stopped',
    };
    const ended = { ...container, task, run: undefined };
    // One that is killed before its start is reported too, and was no run.
    if (run || (before?.pid === pid && before.status !== 'created')) set(ended);
    return { kind: 'exited', container: ended, exitStatus, exitedAtMs };
  };
  const changed = (container: KnownContainer): Effect => ({ kind: 'changed', container: set(container) });
  const paused = (container: KnownContainer, status: TaskRecord['status']): Effect =>
    container.task ? changed({ ...container, task: { ...container.task, status } }) : unknownOf(container);

  const applyTo = (before: KnownContainer, event: ContainerdEvent): Effect => {
    // Events of a task come from its shim.
    const container = event.kind.startsWith('task-') ? { ...before, isShimSilent: false } : before;
    switch (event.kind) {
      case 'container-updated': {
        // A control label, or a check on a container without one: the truth is in the record, which no event contains.
        const { labels, isChanged } = labelsAfterEvent(container.record.labels, event.labels);
        // Do not apply anything before: a check with the new test would count for the old one.
        if (isChanged) return unknownOf(container);
        const effect = changed(withLabels(container, labels));
        const isBare = !container.config && container.processJson === undefined;
        return isBare && checkOf(labels).config ? unknownOf(container) : effect;
      }
      case 'container-deleted':
        containers.delete(keyOf(container));
        versions.delete(keyOf(container));
        return { kind: 'deleted', container };
      case 'task-started':
        return started(container, event.pid, event.atMs);
      case 'task-exited':
        return exited(container, event);
      case 'task-deleted':
        return container.run ? unknownOf(container) : changed({ ...container, task: endOf(container) });
      case 'task-oom':
        return changed({ ...container, isOutOfMemory: true });
      case 'task-paused':
        return paused(container, 'paused');
      case 'task-resumed':
        return paused(container, 'running');
      default:
        return NONE;
    }
  };

  return {
    get: (key) => containers.get(key),
    all: () => containers.values(),
    get size() {
      return containers.size;
    },
    versionOf: (key) => versions.get(key) ?? 0,
    put,
    remember: (key, { log, state }) => {
      const container = containers.get(key);
      const last = log.at(-1);
      if (container) set({ ...container, stored: { state, log: last ? [briefly(last)] : [] } });
    },
    apply: (event) => {
      if (!isOfContainer(event)) return NONE;
      const { namespace, id } = event;
      const container = containers.get(keyOf({ namespace, id }));
      const key = keyOf({ namespace, id });
      versions.set(key, (versions.get(key) ?? 0) + 1);
      if (container) return applyTo(container, event);
      if (event.kind === 'container-deleted') versions.delete(key);
      return event.kind === 'container-deleted' ? NONE : { kind: 'unknown', namespace, id };
    },
  };
}

/** The facts about a task that containerd no longer has: that it ran, and its end, if reported. */
function endOf({ task, run }: KnownContainer): TaskRecord | undefined {
  if (task?.status === 'stopped') return task;
  return task && run && { ...task, status: 'stopped', exitStatus: UNKNOWN_EXIT_CODE, exitedAtMs: undefined };
}

/**
 * The boot time of an event, at least the start of its process: the wall clocks of containerd and of this moment may
 * differ.
 */
function bootTimeOf(atMs: number, { id }: Run, { nowMs, bootMs }: Moment): number {
  const processMs = (processOfRun(id)?.startTimeTicks ?? 0) * TICK_MS;
  return Math.max(processMs, bootMs - Math.max(0, nowMs - atMs));
}

const NO_TASK: Omit<TaskRecord, 'containerId' | 'pid' | 'status'> = {
  exitStatus: 0,
  exitedAtMs: undefined,
  terminal: false,
  stdin: '',
  stdout: '',
  stderr: '',
};

const OF_CONTAINERS = [
  'container-created',
  'container-updated',
  'container-deleted',
  'task-started',
  'task-exited',
  'task-deleted',
  'task-oom',
  'task-paused',
  'task-resumed',
] as const;
type OfContainer = Extract<ContainerdEvent, { kind: (typeof OF_CONTAINERS)[number] }>;

const isOfContainer = (event: ContainerdEvent): event is OfContainer =>
  (OF_CONTAINERS as readonly string[]).includes(event.kind);

const unknownOf = ({ namespace, id }: KnownContainer): Effect => ({ kind: 'unknown', namespace, id });

function withLabels(container: KnownContainer, labels: Readonly<Record<string, string>>): KnownContainer {
  const run = container.run && withTestSince(container.run, labels);
  return { ...container, run, record: { ...container.record, labels }, ...checkOf(labels) };
}

function checkOf(labels: Readonly<Record<string, string>>): Pick<KnownContainer, 'config' | 'damage'> {
  const parsed = healthConfigOf(labels);
  const config = parsed.kind === 'config' ? checkConfigOf(parsed.config) : undefined;
  return { config, damage: parsed.kind === 'malformed' ? parsed.reason : undefined };
}

/** A damaged spec makes each check fail with a text that says so; it must not stop the list. */
function processJsonOrNone(record: ContainerRecord): string | undefined {
  try {
    return processJsonOf(record.specJson());
  } catch {
    return undefined;
  }
}

const briefly = (result: Result): Result => ({
  ...result,
  output: result.exitCode === 0 ? '' : result.output.slice(0, MAX_TEXT_BYTES),
});
