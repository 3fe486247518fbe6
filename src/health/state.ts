import type { Result } from './result.ts';

/** What a container with a check can be. */
export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

export const HEALTH_STATUSES: readonly HealthStatus[] = ['starting', 'healthy', 'unhealthy'];

/** One life of a container's main process. */
export interface Run {
  /** `bootid:pid:starttime`, the start time in clock ticks since boot, from `/proc/<pid>/stat`. */
  readonly id: string;
  /** Wall time, milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** The same on the boot clock, where the start was seen; else the id tells when the process began. */
  readonly startedBootMs?: number;
  /** Wall time at which the present test took the place of another one, or of none; absent for one that was there from the creation on. */
  readonly testSinceMs?: number;
  /** The same on the boot clock, where it is known. */
  readonly testSinceBootMs?: number;
}

/** One moment on two clocks: the wall clock may jump, the boot clock does not. */
export interface Instant {
  readonly nowMs: number;
  readonly bootMs: number;
}

/** USER_HZ, in which /proc counts: 100 on every architecture that Linux and Node.js share. */
export const TICK_MS = 10;

/**
 * How long a run has had its present test: what the start period is held against. Counted on the boot clock, so that a wall clock that is set
 * neither ends the period nor makes it longer. A test that an update of 0.1.0 brought is counted from a wall time, which counts as now where it
 * is in the future.
 */
export function testedForMs(run: Run, { nowMs, bootMs }: Instant): number {
  const ticks = processOfRun(run.id)?.startTimeTicks;
  const startedBootMs = run.startedBootMs ?? (ticks ? ticks * TICK_MS : undefined);
  const sinceStartMs = startedBootMs === undefined ? nowMs - run.startedAtMs : bootMs - startedBootMs;
  const sinceTestMs =
    run.testSinceBootMs === undefined
      ? nowMs - (run.testSinceMs ?? Number.NEGATIVE_INFINITY)
      : bootMs - run.testSinceBootMs;
  return Math.max(0, Math.min(sinceStartMs, sinceTestMs));
}

/** The process that an id of a run names; undefined for a text that is no such id. */
export function processOfRun(id: string): { readonly pid: number; readonly startTimeTicks: number } | undefined {
  const [, pid, ticks] = /^[^:]*:(\d+):(\d+)$/.exec(id) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), startTimeTicks: Number(ticks) };
}

/** What the results made of a container, and of which run. */
export interface HealthState {
  readonly status: HealthStatus;
  /** Consecutive failures that counted. */
  readonly failingStreak: number;
  /** Whether the last result fell into the grace of the start period. */
  readonly inStartPeriod: boolean;
  /** The run that the results are of; undefined where nerdctl wrote them, which does not know runs. */
  readonly run: string | undefined;
  /** The `testSinceMs` of that run: which of its tests the results are of. */
  readonly testSinceMs?: number;
}

/** What is stored of a container's health. */
export interface StoredHealth {
  /** Oldest first. */
  readonly log: readonly Result[];
  /** Undefined before the first result. */
  readonly state: HealthState | undefined;
}

/** A container's task, as far as health is concerned. */
export type TaskView =
  /** No task: never started, removed by somebody, or lost by a reboot. */
  | { readonly kind: 'none' }
  /** Made, not started. */
  | { readonly kind: 'created' }
  | { readonly kind: 'running'; readonly run: Run }
  | { readonly kind: 'paused'; readonly run: Run }
  | { readonly kind: 'stopped' }
  /** The shim does not answer. @see run the last one that is known, if its process is still there */
  | { readonly kind: 'unknown'; readonly run: Run | undefined };

/** Whether a container was ever started, and the id of its last run where that is known. */
export type Started = { readonly ever: false } | { readonly ever: true; readonly lastRun: string | undefined };

/**
 * What a container's health is: the only place that says so.
 *
 * Derived, so that neither a start nor an exit needs a write and a container started by somebody else is right too:
 * a present run that the stored state is not of is `starting`, and so is one with another test than that state; no run after a start is `unhealthy` (Docker: daemon/health.go stopHealthchecks);
 * undefined for a container that was never started. While the shim does not answer, it is what was known before.
 */
export function effectiveState(subject: {
  readonly stored: StoredHealth;
  readonly task: TaskView;
  readonly started: Started;
}): HealthState | undefined {
  const { stored, task, started } = subject;
  switch (task.kind) {
    case 'running':
    case 'paused':
      return isOfRun(stored, task.run)
        ? stored.state
        : { status: 'starting', failingStreak: 0, inStartPeriod: false, run: undefined };
    case 'unknown':
      return task.run ? effectiveState({ stored, task: { kind: 'running', run: task.run }, started }) : stored.state;
    case 'stopped':
      return ended(stored, started.ever ? started.lastRun : undefined);
    case 'created':
    case 'none':
      return started.ever ? ended(stored, started.lastRun) : undefined;
  }
}

/** The streak is kept, unless it is that of an earlier run than the one that ended. */
function ended({ state }: StoredHealth, lastRun: string | undefined): HealthState {
  const isEarlier = state?.run !== undefined && lastRun !== undefined && state.run !== lastRun;
  return {
    status: 'unhealthy',
    failingStreak: isEarlier ? 0 : (state?.failingStreak ?? 0),
    inStartPeriod: false,
    run: state?.run,
  };
}

/**
 * Whether what is stored is of this run and its present test. A state without a run was written by nerdctl, and one without a test by healthctl
 * 0.1.0: they are if their last result did not start before that run, or that test.
 */
export function isOfRun({ state, log }: StoredHealth, run: Run): boolean {
  if (!state) return false;
  if (state.run !== undefined && state.run !== run.id) return false;
  if (state.run !== undefined && state.testSinceMs === run.testSinceMs) return true;
  if (state.run !== undefined && state.testSinceMs !== undefined) return false; // of another test, whenever its last check began
  const { startedAtMs, testSinceMs = startedAtMs } = run;
  const last = log.at(-1);
  return (
    last !== undefined && Date.parse(last.start) >= Math.max(testSinceMs, state.run === undefined ? startedAtMs : 0)
  );
}

/** When a result ended as the wall clock of now would have it, for a result of the present boot. */
export function endMsOf({ end, endBootMs }: Pick<Result, 'end' | 'endBootMs'>, now: Instant): number {
  return endBootMs === undefined ? Date.parse(end) : now.nowMs - Math.max(0, now.bootMs - endBootMs);
}
