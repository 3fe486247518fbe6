import type { ContainerRecord } from '../containerd/containers.ts';
import type { TaskRecord } from '../containerd/tasks.ts';
import type { GivenHealthConfig } from '../health/config.ts';
import { dockerPartOf, type ParsedHealthConfig, parseHealthConfigText } from '../health/config-json.ts';
import { type Instant, processOfRun, type Run, type Started, type TaskView, TICK_MS } from '../health/state.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { isAlive, readBootId, readStat } from '../system/proc.ts';
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
  /** Its shim does not answer: the state is what was known before, and nothing that depends on it may be done (see refuseUnknown). */
  readonly isStateUnknown?: boolean;
  /** When the monitor will restart it, wall time. */
  readonly nextRestartAtMs?: number;
  /** Whether the kernel killed a process of that run for want of memory, as far as a monitor saw it. */
  readonly isOutOfMemory?: boolean;
  /** Why its last start failed, where nobody has started it since. */
  readonly startFailure?: { readonly error: string; readonly code: number };
}

/** What all views of one moment share. */
export interface Moment extends Instant {
  readonly bootId: string;
}

export function momentOf(clock: Pick<Clock, 'now' | 'boot'>): Moment {
  return { nowMs: clock.now(), bootMs: clock.boot(), bootId: readBootId() };
}

/** Docker: daemon/daemon.go, for a container that its daemon finds dead without knowing why. */
export const UNKNOWN_EXIT_CODE = 255;

export function viewOf(record: ContainerRecord, task: TaskRecord | undefined, moment: Moment): ContainerView {
  return viewFrom({ record, task, run: runOfTask(record.labels, task, moment) });
}

/** A container that the monitor is about to start again; one that was started meanwhile as it is. */
export function asRestarting(view: ContainerView): ContainerView {
  return view.state === 'exited' ? { ...view, state: 'restarting' } : view;
}

/** The same with the time of the restart that the monitor has planned, if it has. */
export function withNextRestart(view: ContainerView, nextRestartAtMs: number | undefined): ContainerView {
  return nextRestartAtMs === undefined ? view : { ...view, nextRestartAtMs };
}

/** The present run of a task; undefined when it does not run. */
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

/** Whether containerd holds it for running, paused or not. */
export const isUp = ({ status }: TaskRecord): boolean =>
  status === 'running' || status === 'paused' || status === 'pausing';

/** A run with what its container's labels say of its test. */
export function withTestSince(run: Run, labels: Readonly<Record<string, string>>): Run {
  const { testSinceMs: _before, testSinceBootMs: _bootBefore, ...rest } = run;
  const testSinceMs = Date.parse(labels[LABELS.testSince] ?? '');
  if (Number.isNaN(testSinceMs)) return rest;
  const testSinceBootMs = bootTimeOf(labels[LABELS.testSinceBoot], run.id);
  return { ...rest, testSinceMs, ...(testSinceBootMs === undefined ? {} : { testSinceBootMs }) };
}

/** Milliseconds of `bootid:ms`, if that is the boot of the run. */
function bootTimeOf(text: string | undefined, runId: string): number | undefined {
  const [, bootId, ms] = /^([^:]+):(\d+)$/.exec(text ?? '') ?? [];
  return bootId !== undefined && runId.startsWith(`${bootId}:`) ? Number(ms) : undefined;
}

/** The same as viewOf, for whoever knows the present run already. */
export function viewFrom(facts: {
  readonly record: ContainerRecord;
  readonly task: TaskRecord | undefined;
  readonly run: Run | undefined;
  /** Of a caller that goes by what it knew of the task before its shim fell silent. */
  readonly isStateUnknown?: boolean;
  /** Whether something else than its labels and its task tells that it was started once. */
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
  // What was not seen to stop, with its exit code, is not called exited.
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
 * The present run. Its start is what the start noted, if it is the run that was noted and the clock was not set back since; else the start of
 * the process.
 */
function runOf(task: TaskRecord, note: StartNote | undefined, moment: Moment): Run | undefined {
  const { nowMs, bootMs, bootId } = moment;
  const stat = readStat(task.pid);
  if (!stat) return undefined; // ended since containerd was asked
  const id = runIdOf(bootId, stat);
  const processBootMs = stat.startTimeTicks * TICK_MS;
  const isNoted = note?.run === id && note.atMs <= nowMs;
  const startedAtMs = isNoted ? note.atMs : nowMs - bootMs + processBootMs;
  // Between the two the process waited for its network.
  const startedBootMs = note?.run === id ? note.bootMs : undefined;
  const isPossible = startedBootMs !== undefined && startedBootMs >= processBootMs && startedBootMs <= bootMs + TICK_MS;
  return { id, startedAtMs, ...(isPossible ? { startedBootMs } : {}) };
}

/** The run that the last start noted, while its process is there. */
function runOfNote(note: StartNote | undefined, { bootId, nowMs }: Moment): Run | undefined {
  const main = note?.run === undefined ? undefined : processOfRun(note.run);
  const stat = main && readStat(main.pid);
  if (!note?.run || !stat || !isAlive(stat) || runIdOf(bootId, stat) !== note.run) return undefined;
  return { id: note.run, startedAtMs: Math.min(note.atMs, nowMs) };
}

/**
 * Throws UNKNOWN for a container whose shim does not answer: for whoever is about to act on its state. What was not seen to stop must not be
 * called stopped, started over or removed.
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

/** What `start` leaves in the label `healthctl/started`. */
export interface StartNote {
  readonly atMs: number;
  readonly run: string | undefined;
  /** The same moment on the boot clock; undefined in a note of healthctl 0.1.0. */
  readonly bootMs?: number;
}

export function startNoteJson(at: string, run: string, bootMs?: number): string {
  return JSON.stringify({ At: at, Run: run, ...(bootMs === undefined ? {} : { BootMs: Math.round(bootMs) }) });
}

/** A label that does not parse still tells that there was a start. */
export function startNoteOf(labels: Readonly<Record<string, string>>): StartNote | undefined {
  const text = labels[LABELS.started];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return { atMs: 0, run: undefined };
    const { At: at, Run: run, BootMs: bootMs } = value as Readonly<Record<string, unknown>>;
    const atMs = typeof at === 'string' ? Date.parse(at) : Number.NaN;
    return {
      ...{ atMs: Number.isNaN(atMs) ? 0 : atMs, run: typeof run === 'string' ? run : undefined },
      ...(typeof bootMs === 'number' ? { bootMs } : {}),
    };
  } catch {
    return { atMs: 0, run: undefined };
  }
}

/** The health config that a container's labels hold: ours where Docker's shape cannot hold it, else nerdctl's. */
export function healthConfigOf(labels: Readonly<Record<string, string>>): ParsedHealthConfig {
  const own = labels[LABELS.healthcheck];
  if (own !== undefined && own !== '') return parseHealthConfigText(own);
  const text = labels[LABELS.nerdctlHealthcheck];
  if (text === undefined || text === '') return { kind: 'absent' };
  const parsed = parseHealthConfigText(text);
  // An image can bring this label: of Docker's shape are the test and its times, and nothing that is done because of them.
  return parsed.kind === 'config' ? { kind: 'config', config: dockerPartOf(parsed.config) } : parsed;
}

/** The same, for whoever has nothing to say about a label that is damaged. */
export function givenHealthConfigOf(labels: Readonly<Record<string, string>>): GivenHealthConfig | undefined {
  const parsed = healthConfigOf(labels);
  return parsed.kind === 'config' ? parsed.config : undefined;
}
