import type { Result } from './result.ts';

/** Status of a container with a check. */
export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

export const HEALTH_STATUSES: readonly HealthStatus[] = ['starting', 'healthy', 'unhealthy'];

/** One life of a container's main process. */
export interface Run {
  /** `bootid:pid:starttime`, the start time in clock ticks since boot, from `/proc/<pid>/stat`. */
  readonly id: string;
  /** Wall time, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** The start on the boot clock, if the start was observed; otherwise the start time in the id applies. */
  readonly startedBootMs?: number;
  /**
   * Wall time at which the present test was set or replaced another one; absent if the test was there from the creation
   * on.
   */
  readonly testSinceMs?: number;
  /** The same moment on the boot clock, if known. */
  readonly testSinceBootMs?: number;
}

/** A moment on two clocks: the wall clock may jump, the boot clock does not. */
export interface Instant {
  readonly nowMs: number;
  readonly bootMs: number;
}

/**
 * The length of a tick in /proc (USER_HZ): 100 per second on every architecture that both Linux and Node.js support.
 */
export const TICK_MS = 10;

/**
 * How long a run has had its present test; compared with the start period. Measured on the boot clock, so that setting
 * the wall clock neither ends nor extends the period. The test of an update by 0.1.0 is measured from a wall time; one
 * in the future counts as now.
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

/** The process that a run id names; undefined for any other text. */
export function processOfRun(id: string): { readonly pid: number; readonly startTimeTicks: number } | undefined {
  const [, pid, ticks] = /^[^:]*:(\d+):(\d+)$/.exec(id) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), startTimeTicks: Number(ticks) };
}

/** The health of a container after its results, and the run that it belongs to. */
export interface HealthState {
  readonly status: HealthStatus;
  /** Consecutive counted failures. */
  readonly failingStreak: number;
  /** Whether the last result was within the start period. */
  readonly inStartPeriod: boolean;
  /** The run of the results; undefined where nerdctl wrote them, which does not know runs. */
  readonly run: string | undefined;
  /** The `testSinceMs` of that run: it identifies the test of the results. */
  readonly testSinceMs?: number;
}

/** The stored health of a container. */
export interface StoredHealth {
  /** Oldest first. */
  readonly log: readonly Result[];
  /** Undefined before the first result. */
  readonly state: HealthState | undefined;
}

/** The task of a container, as far as health needs it. */
export type TaskView =
  /** No task: never started, removed by another tool, or lost in a reboot. */
  | { readonly kind: 'none' }
  /** Created, not started. */
  | { readonly kind: 'created' }
  | { readonly kind: 'running'; readonly run: Run }
  | { readonly kind: 'paused'; readonly run: Run }
  | { readonly kind: 'stopped' }
  /** The shim does not answer. @see run the last known run, if its process still exists */
  | { readonly kind: 'unknown'; readonly run: Run | undefined };

/** Whether a container was ever started, and the id of its last run if known. */
export type Started = { readonly ever: false } | { readonly ever: true; readonly lastRun: string | undefined };

/**
 * Computes the health of a container; nothing else does.
 *
 * Computed rather than stored, so that neither a start nor an exit needs a write, and containers started by other tools
 * are right too. A present run is `starting` if the stored state belongs to another run or another test. A started
 * container without a run is `unhealthy` (Docker: daemon/health.go stopHealthchecks). Undefined for a container that
 * was never started. While the shim does not answer, the last known health holds.
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

/** Keeps the streak, unless it belongs to an earlier run than the one that ended. */
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
 * Whether the stored health belongs to this run and its present test. nerdctl writes states without a run, and
 * healthctl 0.1.0 without a test: such a state belongs if its last result did not start before that run or that test.
 */
export function isOfRun({ state, log }: StoredHealth, run: Run): boolean {
  if (!state) return false;
  if (state.run !== undefined && state.run !== run.id) return false;
  if (state.run !== undefined && state.testSinceMs === run.testSinceMs) return true;
  // of another test, whenever its last check began
  if (state.run !== undefined && state.testSinceMs !== undefined) return false;
  const { startedAtMs, testSinceMs = startedAtMs } = run;
  const last = log.at(-1);
  return (
    last !== undefined && Date.parse(last.start) >= Math.max(testSinceMs, state.run === undefined ? startedAtMs : 0)
  );
}

/** The wall time at which a result of the present boot ended, by the present wall clock. */
export function endMsOf({ end, endBootMs }: Pick<Result, 'end' | 'endBootMs'>, now: Instant): number {
  return endBootMs === undefined ? Date.parse(end) : now.nowMs - Math.max(0, now.bootMs - endBootMs);
}
