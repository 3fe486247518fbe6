import type { CheckConfig } from '../health/config.ts';
import { KILLED_EXIT_CODE, type Outcome, type Result, resultFromOutcome } from '../health/result.ts';
import {
  effectiveState,
  type HealthState,
  type Run,
  type Started,
  type TaskView,
  testedForMs,
} from '../health/state.ts';
import { transition } from '../health/transition.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { consumePauseNote } from '../probe/check-execs.ts';
import type { ProbeReport, Prober } from '../probe/prober.ts';
import type { HealthStore, HealthSubject } from '../store/health-store.ts';

/** The present facts of a container. */
export interface CheckSubject extends HealthSubject {
  readonly task: TaskView;
  readonly started: Started;
  readonly config: CheckConfig;
  /** The `process` of the container's OCI runtime spec as JSON text. */
  readonly processJson: string | undefined;
}

export interface CheckDeps {
  readonly clock: Clock;
  readonly store: HealthStore;
  readonly prober: Prober;
  /**
   * What the caller knows of the container; called while the check lock is held. Throws NOT_FOUND if the container is
   * gone.
   */
  readonly describe: () => Promise<CheckSubject>;
  /** Asks containerd for the task, whatever the caller knows. Throws NOT_FOUND if the container is gone. */
  readonly findTask: () => Promise<TaskView>;
}

export type CheckReport =
  | { readonly kind: 'recorded'; readonly result: Result; readonly state: HealthState; readonly statusChanged: boolean }
  /**
   * The outcome says nothing about the checked run: it was paused, ended or replaced meanwhile, or the check was
   * cancelled.
   */
  | { readonly kind: 'dropped'; readonly reason: 'cancelled' | DropReason };

/** `unknown`: the shim does not answer, so the outcome cannot be interpreted. */
type DropReason = 'paused' | 'ended' | 'unknown';

/**
 * Wait before recording a doubtful outcome ("could not start" or 137): by then containerd reports the pause or exit
 * that caused it.
 */
const CONFIRM_AFTER_MS = 200;

/**
 * One check: probe, transition, record. The command line and the monitor both call this function, so that checks never
 * overlap.
 *
 * @throws CONFLICT if the container does not run; any error of the prober or the store
 */
export async function check(deps: CheckDeps, subject: HealthSubject, signal?: AbortSignal): Promise<CheckReport> {
  const { store, prober } = deps;
  return store.withCheckLock(
    subject,
    async ({ scratchDir }) => {
      const now = await deps.describe();
      const run = runningRun(now);
      consumePauseNote(scratchDir); // left by an earlier check
      const testedMs = testedForMs(run, { nowMs: deps.clock.now(), bootMs: deps.clock.boot() });
      const report = await probe(prober, { subject: now, run, scratchDir, signal, clock: deps.clock });
      const endBootMs = Math.round(deps.clock.boot());
      const dropped = await dropReason(deps, report.outcome, { run, scratchDir });
      if (dropped || report.outcome.kind === 'cancelled') return { kind: 'dropped', reason: dropped ?? 'cancelled' };
      const result = { ...resultFromOutcome(report.outcome, report), endBootMs };
      return record(store, now, { run, testedMs, result });
    },
    signal,
  );
}

/**
 * The run to check. Throws CONFLICT with nerdctl's texts, which call a container stopped also when its task is gone.
 */
export function runningRun({ task, started }: Pick<CheckSubject, 'task' | 'started'>): Run {
  if (task.kind === 'running') return task.run;
  if (task.kind === 'unknown')
    throw new HealthctlError('UNKNOWN', 'the state of the container is not known: its shim does not answer');
  if (task.kind === 'paused') throw new HealthctlError('CONFLICT', 'container is not running (status: paused)');
  if (started.ever) throw new HealthctlError('CONFLICT', 'container is not running (status: stopped)');
  throw new HealthctlError('CONFLICT', 'failed to get container task: no running task found', {
    hint: 'start the container first',
  });
}

async function probe(
  prober: Prober,
  job: {
    readonly subject: CheckSubject;
    readonly run: Run;
    readonly scratchDir: string;
    readonly signal: AbortSignal | undefined;
    readonly clock: Clock;
  },
): Promise<ProbeReport> {
  const { subject, run, scratchDir, signal, clock } = job;
  const { kind } = subject.config;
  switch (kind.kind) {
    case 'exec':
    case 'http':
    case 'tcp':
    case 'grpc': {
      const target = {
        containerId: subject.id,
        runId: run.id,
        processJson: subject.processJson,
        scratchDir,
        timeoutNs: subject.config.timeoutNs,
        exec: subject.config.exec,
        reap: subject.config.reap,
      };
      return prober.probe(target, kind, signal);
    }
    case 'no-command': {
      const now = clock.now();
      return {
        outcome: { kind: 'could-not-start', reason: `healthcheck for container ${subject.id} has no command` },
        startMs: now,
        endMs: now,
      };
    }
    case 'none':
    case 'disabled':
    case 'unknown':
    case 'malformed':
      throw new HealthctlError('CONFLICT', 'container has no health check configured');
  }
}

/**
 * Why not to record an outcome, if there is a reason. A check that was killed or could not start looks the same whether
 * it failed by itself or was hit by a pause or an exit: the task shows which, a moment later.
 */
async function dropReason(
  deps: CheckDeps,
  outcome: Outcome,
  { run, scratchDir }: { readonly run: Run; readonly scratchDir: string },
): Promise<DropReason | undefined> {
  const isDoubtful =
    outcome.kind === 'could-not-start' || (outcome.kind === 'exited' && outcome.code === KILLED_EXIT_CODE);
  if (!isDoubtful && outcome.kind !== 'timed-out') return undefined;
  if (isDoubtful && consumePauseNote(scratchDir)) return 'paused'; // it may have been resumed by now
  if (isDoubtful) await deps.clock.sleep(CONFIRM_AFTER_MS);
  const task = await deps.findTask().catch((error: unknown): TaskView => {
    if (hasCode(error, 'NOT_FOUND')) return { kind: 'none' };
    throw error;
  });
  if (task.kind === 'unknown') return 'unknown';
  if (task.kind === 'paused' && task.run.id === run.id) return 'paused';
  return task.kind === 'running' && task.run.id === run.id ? undefined : 'ended';
}

async function record(
  store: HealthStore,
  subject: CheckSubject,
  seen: { readonly run: Run; readonly testedMs: number; readonly result: Result },
): Promise<CheckReport> {
  const { run, testedMs, result } = seen;
  const { config } = subject;
  let made: ReturnType<typeof transition> | undefined;
  await store.update(
    subject,
    (stored) => {
      const before = effectiveState({ stored, task: { kind: 'running', run }, started: subject.started });
      made = transition({
        before: before ?? { status: 'starting', failingStreak: 0 },
        ...{ result, testedForMs: testedMs, config, run },
      });
      return { result, state: made.state };
    },
    { retries: config.retries },
  );
  if (!made) throw new HealthctlError('INTERNAL', `the store did not record a result of container ${subject.id}`);
  return { kind: 'recorded', result, ...made };
}
