import { createHash } from 'node:crypto';
import type { CheckReport } from '../check/check.ts';
import type { HealthConfig } from '../health/config.ts';
import { endMsOf, type HealthStatus, isOfRun, testedForMs } from '../health/state.ts';
import type { Clock } from '../lib/clock.ts';
import { type ContainerRef, keyOf } from '../lib/container-key.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import type { Agenda } from './agenda.ts';
import type { Checker } from './checker.ts';
import type { HostModel, KnownContainer } from './host-model.ts';
import { knownHealthOf } from './known-container.ts';
import type { Limiter } from './limiter.ts';
import { type CheckedRun, type ObservedContainer, reconcile, type Step } from './reconcile.ts';
import type { StoredHealthReader } from './stored-health.ts';
import { startWorker, type Worker } from './worker.ts';

/**
 * The workers of all containers: at most one each, for its present run.
 *
 * `reconcile`, `dismiss` and `read` are called in the container's turn (lib/turns.ts).
 */
export interface Workers {
  /** Takes the steps that bring the worker to what the container requires. */
  reconcile(key: string): Promise<void>;
  /** Stops a container's worker; resolves when none of its checks is in flight. */
  dismiss(key: string): Promise<void>;
  /** Reads the stored health of a container, and continues with that status: see StoredHealthReader.read. */
  read(key: string, options: { readonly writesMirror: boolean }): Promise<void>;
  /** The consequences of a check besides the schedule. */
  report(key: string, report: CheckReport): void;
  /** Monotonic time of the next check, if one is planned. */
  nextCheckAtMs(key: string): number | undefined;
  readonly size: number;
  /** Number of containers whose last check could not be made or recorded. */
  readonly troubled: number;
  stop(): Promise<void>;
}

export interface WorkersDeps {
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly model: HostModel;
  readonly agenda: Agenda;
  readonly checker: Checker;
  readonly storedHealth: StoredHealthReader;
  /** The limiter that gives slots to a check. */
  readonly limiterOf: (config: HealthConfig) => Limiter;
  /** Aborted when the monitor ends. */
  readonly over: AbortSignal;
  readonly isCheckedElsewhere: (container: KnownContainer) => boolean;
  /** Removes what earlier checks left in a container. @param what.residents also resident shells */
  readonly sweep: (key: string, what: { readonly residents: boolean }) => Promise<void>;
  /** A check found that the shim does not answer. */
  readonly onShimSilent: (container: ContainerRef) => void;
  readonly onLag: (lagMs: number) => void;
}

interface RunningWorker extends ContainerRef {
  readonly worker: Worker;
  checkedRun: CheckedRun;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createWorkers(deps: WorkersDeps): Workers {
  const { clock, log, model, checker, storedHealth, over } = deps;
  const workers = new Map<string, RunningWorker>();
  const troubled = new Set<string>();

  const read = async (key: string, options: { readonly writesMirror: boolean }): Promise<void> => {
    const status = await storedHealth.read(key, options);
    if (status) workers.get(key)?.worker.setStatus(status);
  };

  const checkRun = async (key: string, signal: AbortSignal): Promise<CheckReport> => {
    const container = model.get(key);
    if (!container) return { kind: 'dropped', reason: 'ended' };
    if (!deps.isCheckedElsewhere(container)) return checker.check(container, signal);
    await read(key, { writesMirror: false });
    return { kind: 'dropped', reason: 'cancelled' };
  };

  const report = (key: string, found: CheckReport, lagMs?: number): void => {
    if (lagMs !== undefined) deps.onLag(lagMs);
    troubled.delete(key);
    const container = model.get(key);
    if (found.kind === 'dropped' && found.reason === 'unknown' && container) deps.onShimSilent(container);
    if (found.kind !== 'recorded' || !container) return;
    workers.get(key)?.worker.setStatus(found.state.status);
    storedHealth.recorded(container, found, lagMs);
  };

  /** Logged once, until the container can be checked again. A lost containerd or container is logged elsewhere. */
  const logFailure = (key: string, error: unknown): void => {
    const isExpected = hasCode(error, 'UNAVAILABLE', 'CONFLICT', 'NOT_FOUND') || troubled.has(key);
    if (!isExpected) troubled.add(key);
    log[isExpected ? 'debug' : 'warn'](`container ${key}: its check could not be made: ${messageOf(error)}`);
  };

  const begin = async (key: string, step: Extract<Step, { kind: 'start' }>): Promise<void> => {
    const { run, config, isPaused } = step;
    if (model.get(key)?.isStartSeen === false) {
      if (!isPaused) await deps.sweep(key, { residents: true });
      await storedHealth.read(key, { writesMirror: true });
    }
    const container = model.get(key);
    // the event that changed it reconciles again
    if (!container || container.run?.id !== run.id || over.aborted) return;
    const status = knownHealthOf(container)?.status ?? 'starting';
    storedHealth.begin(container, run.id, status);
    const worker = startWorker(
      {
        ...{ clock, agenda: deps.agenda, limiterOf: deps.limiterOf },
        check: (signal) => checkRun(key, signal),
        onReport: (found, lagMs) => report(key, found, lagMs),
        onFailure: (error) => logFailure(key, error),
      },
      beginningOf(container, step, { status, clock }),
    );
    const { namespace, id } = container;
    workers.set(key, { namespace, id, worker, checkedRun: { runId: run.id, config, isPaused } });
  };

  const dismiss = async (key: string): Promise<void> => {
    const present = workers.get(key);
    workers.delete(key);
    troubled.delete(key);
    storedHealth.end(key);
    await present?.worker.stop();
    if (present) await checker.release(present);
  };

  const execute = async (key: string, step: Step): Promise<void> => {
    const present = workers.get(key);
    const updateRun = (change: Partial<CheckedRun>): void => {
      if (present) present.checkedRun = { ...present.checkedRun, ...change };
    };
    switch (step.kind) {
      case 'start':
        return begin(key, step);
      case 'stop':
        return dismiss(key);
      case 'pause':
        present?.worker.pause();
        return updateRun({ isPaused: true });
      case 'resume':
        present?.worker.resume();
        updateRun({ isPaused: false });
        return deps.sweep(key, { residents: false });
      case 'reconfigure':
        present?.worker.reconfigure(step.config, step.startsOver);
        updateRun({ config: step.config });
        return present && checker.release(present);
    }
  };

  return {
    reconcile: async (key) => {
      for (const step of reconcile(observe(model.get(key)), workers.get(key)?.checkedRun)) await execute(key, step);
    },
    dismiss,
    read,
    report,
    nextCheckAtMs: (key) => workers.get(key)?.worker.nextAtMs,
    get size() {
      return workers.size;
    },
    get troubled() {
      return troubled.size;
    },
    stop: async () => {
      await Promise.all([...workers.values()].map(({ worker }) => worker.stop()));
      workers.clear();
      troubled.clear();
    },
  };
}

/** The facts for a worker about a run that may have been checked before. */
function beginningOf(
  container: KnownContainer,
  { run, config, isPaused }: Extract<Step, { kind: 'start' }>,
  now: { readonly status: HealthStatus; readonly clock: Clock },
) {
  const { status, clock } = now;
  const last = isOfRun(container.stored, run) ? container.stored.log.at(-1) : undefined;
  const at = { nowMs: clock.now(), bootMs: clock.boot() };
  return {
    ...{ config, isPaused, status, share: shareOf(keyOf(container)) },
    testedForMs: testedForMs(run, at),
    // A time in the future was written before the clock was set back.
    sinceLastEndMs: last && Math.max(0, at.nowMs - endMsOf(last, at)),
  };
}

function observe(container: KnownContainer | undefined): ObservedContainer | undefined {
  if (!container) return undefined;
  const { config, run, task } = container;
  return { config, run, isPaused: task?.status === 'paused' || task?.status === 'pausing' };
}

/** In [0, 1), the same for the same container each time. */
function shareOf(key: string): number {
  return createHash('sha1').update(key).digest().readUInt32BE(0) / 2 ** 32;
}
