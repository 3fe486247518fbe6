import type { ContainerRecord } from '../containerd/containers.ts';
import type { TaskRecord } from '../containerd/tasks.ts';
import type { GivenHealthConfig } from '../health/config.ts';
import { type ParsedHealthConfig, parseHealthConfigText } from '../health/config-json.ts';
import { type Instant, type Run, type Started, type TaskView, TICK_MS } from '../health/state.ts';
import type { Clock } from '../lib/clock.ts';
import { LABELS } from '../lib/labels.ts';
import { readBootId, readStat } from '../system/proc.ts';
import { containerNameOf } from './container-name.ts';

/** Docker's words for what a container is doing. `restarting`: it has ended, and the monitor starts it again after a delay. */
export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'exited';

/** A container and its task as one, labels parsed once. */
export interface ContainerView {
  readonly record: ContainerRecord;
  readonly task: TaskRecord | undefined;
  /** Without a label that names it: the id. */
  readonly name: string;
  readonly state: ContainerState;
  readonly taskView: TaskView;
  readonly started: Started;
  /** Of the present run, or the last one where it is known. */
  readonly startedAtMs: number | undefined;
  /** Of the last run. After a reboot nobody knows: 255, as Docker says. */
  readonly exit: { readonly code: number; readonly atMs: number | undefined } | undefined;
  /** Whether the kernel killed a process of that run for want of memory, as far as a monitor saw it. */
  readonly isOutOfMemory?: boolean;
}

/** What all views of one moment share. */
export interface Moment extends Instant {
  readonly bootId: string;
}

export function momentOf(clock: Pick<Clock, 'now' | 'boot'>): Moment {
  return { nowMs: clock.now(), bootMs: clock.boot(), bootId: readBootId() };
}

/** Docker: daemon/daemon.go, for a container that its daemon finds dead without knowing why. */
const UNKNOWN_EXIT_CODE = 255;

export function viewOf(record: ContainerRecord, task: TaskRecord | undefined, moment: Moment): ContainerView {
  return viewFrom({ record, task, run: runOfTask(record.labels, task, moment) });
}

/** A container that the monitor is about to start again; one that was started meanwhile as it is. */
export function asRestarting(view: ContainerView): ContainerView {
  return view.state === 'exited' ? { ...view, state: 'restarting' } : view;
}

/** The present run of a task; undefined when it does not run. */
export function runOfTask(
  labels: Readonly<Record<string, string>>,
  task: TaskRecord | undefined,
  moment: Moment,
): Run | undefined {
  const run = task && isUp(task) ? runOf(task, startNoteOf(labels), moment) : undefined;
  return run && withTestSince(run, labels);
}

/** Whether containerd holds it for running, paused or not. */
export const isUp = ({ status }: TaskRecord): boolean =>
  status === 'running' || status === 'paused' || status === 'pausing';

/** A run with what its container's labels say of its test. */
export function withTestSince({ testSinceMs: _before, ...run }: Run, labels: Readonly<Record<string, string>>): Run {
  const testSinceMs = Date.parse(labels[LABELS.testSince] ?? '');
  return { ...run, ...(Number.isNaN(testSinceMs) ? {} : { testSinceMs }) };
}

/** The same as viewOf, for whoever knows the present run already. */
export function viewFrom(facts: {
  readonly record: ContainerRecord;
  readonly task: TaskRecord | undefined;
  readonly run: Run | undefined;
}): ContainerView {
  const { record, task, run } = facts;
  const note = startNoteOf(record.labels);
  const taskView = taskViewOf(task, run);
  const wasStarted =
    note !== undefined || (task !== undefined && task.status !== 'created' && task.status !== 'unknown');
  return {
    record,
    task,
    name: containerNameOf(record),
    state: stateOf(taskView, wasStarted),
    taskView,
    started: wasStarted ? { ever: true, lastRun: run?.id ?? note?.run } : { ever: false },
    startedAtMs: run?.startedAtMs ?? note?.atMs,
    exit: run || !wasStarted ? undefined : exitOf(task),
  };
}

function stateOf(task: TaskView, wasStarted: boolean): ContainerState {
  if (task.kind === 'running' || task.kind === 'paused') return task.kind;
  return wasStarted ? 'exited' : 'created';
}

function exitOf(task: TaskRecord | undefined): NonNullable<ContainerView['exit']> {
  return task?.status === 'stopped'
    ? { code: task.exitStatus, atMs: task.exitedAtMs }
    : { code: UNKNOWN_EXIT_CODE, atMs: undefined };
}

function taskViewOf(task: TaskRecord | undefined, run: Run | undefined): TaskView {
  if (!task) return { kind: 'none' };
  if (task.status === 'created' || task.status === 'unknown') return { kind: 'created' };
  if (!run) return { kind: 'stopped' };
  return { kind: task.status === 'running' ? 'running' : 'paused', run };
}

/**
 * The present run. Its start is what the start noted, if it is the run that was noted and the clock was not set back since; else the start of
 * the process.
 */
function runOf(task: TaskRecord, note: StartNote | undefined, moment: Moment): Run | undefined {
  const { nowMs, bootMs, bootId } = moment;
  const stat = readStat(task.pid);
  if (!stat) return undefined; // ended since containerd was asked
  const id = runIdOf(bootId, stat);
  const isNoted = note?.run === id && note.atMs <= nowMs;
  return { id, startedAtMs: isNoted ? note.atMs : nowMs - bootMs + stat.startTimeTicks * TICK_MS };
}

export function runIdOf(bootId: string, stat: { readonly pid: number; readonly startTimeTicks: number }): string {
  return `${bootId}:${stat.pid}:${stat.startTimeTicks}`;
}

/** What `start` leaves in the label `healthctl/started`. */
export interface StartNote {
  readonly atMs: number;
  readonly run: string | undefined;
}

export function startNoteJson(at: string, run: string): string {
  return JSON.stringify({ At: at, Run: run });
}

/** A label that does not parse still tells that there was a start. */
export function startNoteOf(labels: Readonly<Record<string, string>>): StartNote | undefined {
  const text = labels[LABELS.started];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return { atMs: 0, run: undefined };
    const { At: at, Run: run } = value as Readonly<Record<string, unknown>>;
    const atMs = typeof at === 'string' ? Date.parse(at) : Number.NaN;
    return { atMs: Number.isNaN(atMs) ? 0 : atMs, run: typeof run === 'string' ? run : undefined };
  } catch {
    return { atMs: 0, run: undefined };
  }
}

/** The health config that a container's labels hold: ours where Docker's shape cannot hold it, else nerdctl's. */
export function healthConfigOf(labels: Readonly<Record<string, string>>): ParsedHealthConfig {
  const text = labels[LABELS.healthcheck] ?? labels[LABELS.nerdctlHealthcheck];
  return text === undefined || text === '' ? { kind: 'absent' } : parseHealthConfigText(text);
}

/** The same, for whoever has nothing to say about a label that is damaged. */
export function givenHealthConfigOf(labels: Readonly<Record<string, string>>): GivenHealthConfig | undefined {
  const parsed = healthConfigOf(labels);
  return parsed.kind === 'config' ? parsed.config : undefined;
}
