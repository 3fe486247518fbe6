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
  /** Wall time at which the present test took the place of another one, or of none; absent for one that was there from the creation on. */
  readonly testSinceMs?: number;
}

/** From when on results count for a run, and the start period is counted: its start, or the later moment at which it got its test. */
export const countsFromMs = ({ startedAtMs, testSinceMs = 0 }: Run): number => Math.max(startedAtMs, testSinceMs);

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
  | { readonly kind: 'stopped' };

/** Whether a container was ever started, and the id of its last run where that is known. */
export type Started = { readonly ever: false } | { readonly ever: true; readonly lastRun: string | undefined };

/**
 * What a container's health is: the only place that says so.
 *
 * Derived, so that neither a start nor an exit needs a write and a container started by somebody else is right too:
 * a present run that the stored state is not of is `starting`, and so is one with another test than that state; no run after a start is `unhealthy` (Docker: daemon/health.go stopHealthchecks);
 * undefined for a container that was never started.
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

/** A state without a run was written by nerdctl: it is of the present run if its last result did not start before that run. */
function isOfRun({ state, log }: StoredHealth, run: Run): boolean {
  if (!state) return false;
  const isRunNamed = state.run !== undefined;
  if (isRunNamed && state.run !== run.id) return false;
  const fromMs = countsFromMs(run);
  if (isRunNamed && fromMs === run.startedAtMs) return true;
  const last = log.at(-1);
  return last !== undefined && Date.parse(last.start) >= fromMs;
}
