import type { ContainerRecord } from '../containerd/containers.ts';
import type { TaskRecord } from '../containerd/tasks.ts';
import type { GivenHealthConfig } from '../health/config.ts';
import { dockerPartOf, type ParsedHealthConfig, parseHealthConfigText } from '../health/config-json.ts';
import { type Instant, processOfRun, type Run, type Started, type TaskView, TICK_MS } from '../health/state.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { isDate, isNumber, isText, objectIn, parseJsonText } from '../lib/shape.ts';
import { isAlive, readBootId, readStat } from '../system/proc.ts';
import { containerNameOf } from './container-name.ts';

/** Docker's words for a container's state. `restarting`: it has ended, and the monitor will start it after a delay. */
export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'exited';

/** A container with its task; labels are parsed once. */
export interface ContainerView {
  readonly record: ContainerRecord;
  readonly task: TaskRecord | undefined;
  /** The id if no label names it. */
  readonly name: string;
  readonly state: ContainerState;
  readonly taskView: TaskView;
  readonly started: Started;
  /** Of the present run, or the last one if known. */
  readonly startedAtMs: number | undefined;
  /** Of the last run. Unknown after a reboot: 255, as in Docker. */
  readonly exit: { readonly code: number; readonly atMs: number | undefined } | undefined;
  /**
   * Its shim does not answer: this is the last known state, and actions that depend on it are refused (see
   * refuseUnknown).
   */
  readonly isStateUnknown?: boolean;
  /** Planned time of its restart by the monitor, wall time. */
  readonly nextRestartAtMs?: number;
  /** Whether the kernel killed a process of that run for lack of memory, as far as a monitor observed it. */
  readonly isOutOfMemory?: boolean;
  /** Why its last start failed, if it was not started since. */
  readonly startFailure?: { readonly error: string; readonly code: number };
}

/** Facts shared by all views of one moment. */
export interface Moment extends Instant {
  readonly bootId: string;
}

export function momentOf(clock: Pick<Clock, 'now' | 'boot'>): Moment {
  return { nowMs: clock.now(), bootMs: clock.boot(), bootId: readBootId() };
}

/** Docker: daemon/daemon.go, for a container that its daemon finds dead without a known reason. */
export const UNKNOWN_EXIT_CODE = 255;

export function viewOf(record: ContainerRecord, task: TaskRecord | undefined, moment: Moment): ContainerView {
  return viewFrom({ record, task, run: runOfTask(record.labels, task, moment) });
}

/** A view of a container that the monitor is about to start; unchanged if it was started meanwhile. */
export function asRestarting(view: ContainerView): ContainerView {
  return view.state === 'exited' ? { ...view, state: 'restarting' } : view;
}

/** Adds the time of the restart that the monitor has planned, if any. */
export function withNextRestart(view: ContainerView, nextRestartAtMs: number | undefined): ContainerView {
  return nextRestartAtMs === undefined ? view : { ...view, nextRestartAtMs };
}

/** The present run of a task; undefined if it does not run. */
export function runOfTask(
  labels: Readonly<Record<string, string>>,
  task: TaskRecord | undefined,
  moment: Moment,
): Run | undefined {
  if (!task) return undefined;
  const note = startNoteOf(labels);
  const run = isUp(task) ? runOf(task, note, moment) : task.status === 'unknown' ? runOfNote(note, moment) : undefined;
  return run && withTestSince(run, labels);
}

/** Whether it runs according to containerd, paused or not. */
export const isUp = ({ status }: TaskRecord): boolean =>
  status === 'running' || status === 'paused' || status === 'pausing';

/** Adds what the container's labels say about the test of a run. */
export function withTestSince(run: Run, labels: Readonly<Record<string, string>>): Run {
  const { testSinceMs: _before, testSinceBootMs: _bootBefore, ...rest } = run;
  const testSinceMs = Date.parse(labels[LABELS.testSince] ?? '');
  if (Number.isNaN(testSinceMs)) return rest;
  const testSinceBootMs = bootTimeOf(labels[LABELS.testSinceBoot], run.id);
  return { ...rest, testSinceMs, ...(testSinceBootMs === undefined ? {} : { testSinceBootMs }) };
}

/** Milliseconds of `bootid:ms`, if this is the boot of the run. */
function bootTimeOf(text: string | undefined, runId: string): number | undefined {
  const [, bootId, ms] = /^([^:]+):(\d+)$/.exec(text ?? '') ?? [];
  return bootId !== undefined && runId.startsWith(`${bootId}:`) ? Number(ms) : undefined;
}

/** Like `viewOf`, for callers that already know the present run. */
export function viewFrom(facts: {
  readonly record: ContainerRecord;
  readonly task: TaskRecord | undefined;
  readonly run: Run | undefined;
  /** For callers that use the last known task, because the shim does not answer. */
  readonly isStateUnknown?: boolean;
  /** Whether anything besides its labels and task shows that it was once started. */
  readonly hasRun?: boolean;
}): ContainerView {
  const { record, task, run } = facts;
  const note = startNoteOf(record.labels);
  const taskView = taskViewOf(task, run);
  const wasStarted =
    facts.hasRun === true ||
    note !== undefined ||
    run !== undefined ||
    (task !== undefined && task.status !== 'created' && task.status !== 'unknown');
  const isStateUnknown = facts.isStateUnknown === true || task?.status === 'unknown';
  return {
    record,
    task: task && run && task.pid === 0 ? { ...task, pid: processOfRun(run.id)?.pid ?? 0 } : task,
    ...(isStateUnknown ? { isStateUnknown } : {}),
    name: containerNameOf(record),
    state: stateOf(taskView, wasStarted),
    taskView,
    started: wasStarted ? { ever: true, lastRun: run?.id ?? note?.run } : { ever: false },
    startedAtMs: run?.startedAtMs ?? note?.atMs,
    exit: run || !wasStarted || isStateUnknown ? undefined : exitOf(task),
  };
}

function stateOf(task: TaskView, wasStarted: boolean): ContainerState {
  if (task.kind === 'running' || task.kind === 'paused') return task.kind;
  // A container whose stop was not observed, and whose exit code is unknown, is not called exited.
  if (task.kind === 'unknown') return 'running';
  return wasStarted ? 'exited' : 'created';
}

function exitOf(task: TaskRecord | undefined): NonNullable<ContainerView['exit']> {
  return task?.status === 'stopped'
    ? { code: task.exitStatus, atMs: task.exitedAtMs }
    : { code: UNKNOWN_EXIT_CODE, atMs: undefined };
}

function taskViewOf(task: TaskRecord | undefined, run: Run | undefined): TaskView {
  if (!task) return { kind: 'none' };
  if (task.status === 'created') return { kind: 'created' };
  if (task.status === 'unknown') return { kind: 'unknown', run };
  if (!run) return { kind: 'stopped' };
  return { kind: task.status === 'running' ? 'running' : 'paused', run };
}

/**
 * The present run. Its start is the recorded one, if the record belongs to this run and the clock was not set back
 * since; else the start of the process.
 */
function runOf(task: TaskRecord, note: StartNote | undefined, moment: Moment): Run | undefined {
  const { nowMs, bootMs, bootId } = moment;
  const stat = readStat(task.pid);
  if (!stat) return undefined; // ended since containerd was asked
  const id = runIdOf(bootId, stat);
  const processBootMs = stat.startTimeTicks * TICK_MS;
  const isNoted = note?.run === id && note.atMs <= nowMs;
  const startedAtMs = isNoted ? note.atMs : nowMs - bootMs + processBootMs;
  // In between, the process waited for its network.
  const startedBootMs = note?.run === id ? note.bootMs : undefined;
  const isPossible = startedBootMs !== undefined && startedBootMs >= processBootMs && startedBootMs <= bootMs + TICK_MS;
  return { id, startedAtMs, ...(isPossible ? { startedBootMs } : {}) };
}

/** The run recorded by the last start, while its process exists. */
function runOfNote(note: StartNote | undefined, { bootId, nowMs }: Moment): Run | undefined {
  const main = note?.run === undefined ? undefined : processOfRun(note.run);
  const stat = main && readStat(main.pid);
  if (!note?.run || !stat || !isAlive(stat) || runIdOf(bootId, stat) !== note.run) return undefined;
  return { id: note.run, startedAtMs: Math.min(note.atMs, nowMs) };
}

/**
 * Throws UNKNOWN for a container whose shim does not answer; call it before acting on its state. A container whose stop
 * was not observed must not be called stopped, restarted or removed.
 */
export function refuseUnknown({ name, isStateUnknown }: Pick<ContainerView, 'name' | 'isStateUnknown'>): void {
  if (isStateUnknown) throw unknownStateError(name);
}

const SILENT_HINT = 'the shim may be stopped, swapping or busy: try again; "ps -ef | grep containerd-shim" shows it';

export function unknownStateError(name: string, cause?: unknown, hint = SILENT_HINT): HealthctlError {
  return new HealthctlError('UNKNOWN', `the state of container ${name} is not known: its shim does not answer`, {
    hint,
    cause,
  });
}

export function runIdOf(bootId: string, stat: { readonly pid: number; readonly startTimeTicks: number }): string {
  return `${bootId}:${stat.pid}:${stat.startTimeTicks}`;
}

/** The value of the label `healthctl/started`, written by `start`. */
export interface StartNote {
  readonly atMs: number;
  readonly run: string | undefined;
  /** The same moment on the boot clock; undefined in a note by healthctl 0.1.0. */
  readonly bootMs?: number;
}

export function startNoteJson(at: string, run: string, bootMs?: number): string {
  return JSON.stringify({ At: at, Run: run, ...(bootMs === undefined ? {} : { BootMs: Math.round(bootMs) }) });
}

/** A label that does not parse still proves a start. */
export function startNoteOf(labels: Readonly<Record<string, string>>): StartNote | undefined {
  const text = labels[LABELS.started];
  if (text === undefined) return undefined;
  const { At: at, Run: run, BootMs: bootMs } = objectIn(parseJsonText(text));
  return {
    ...{ atMs: isDate(at) ? Date.parse(at) : 0, run: isText(run) ? run : undefined },
    ...(isNumber(bootMs) ? { bootMs } : {}),
  };
}

/** The health config in a container's labels: ours where Docker's form cannot express it, else nerdctl's. */
export function healthConfigOf(labels: Readonly<Record<string, string>>): ParsedHealthConfig {
  const own = labels[LABELS.healthcheck];
  if (own !== undefined && own !== '') return parseHealthConfigText(own);
  const text = labels[LABELS.nerdctlHealthcheck];
  if (text === undefined || text === '') return { kind: 'absent' };
  const parsed = parseHealthConfigText(text);
  // An image can bring this label: only the test and its times in Docker's form are used, and no actions.
  return parsed.kind === 'config' ? { kind: 'config', config: dockerPartOf(parsed.config) } : parsed;
}

/** Like `healthConfigOf`; a damaged label counts as none. */
export function givenHealthConfigOf(labels: Readonly<Record<string, string>>): GivenHealthConfig | undefined {
  const parsed = healthConfigOf(labels);
  return parsed.kind === 'config' ? parsed.config : undefined;
}
