import type { CheckReport } from '../check/check.ts';
import type { ContainerContext } from '../container/context.ts';
import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { type ContainerRef, keyOf } from '../lib/container-key.ts';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import { createTurns } from '../lib/turns.ts';
import { sweepExecs } from '../probe/check-execs.ts';
import type { ContainerProber } from '../probe/container-prober.ts';
import type { StartGate } from '../probe/prober.ts';
import type { Moment } from '../record/view.ts';
import { createAgenda } from './agenda.ts';
import { type BudgetLimits, createBudgets } from './budgets.ts';
import { createChecker } from './checker.ts';
import type { MonitorHooks } from './hooks.ts';
import type { HostModel, KnownContainer } from './host-model.ts';
import { createHostSync } from './host-sync.ts';
import { subjectOf } from './known-container.ts';
import { createLags, type Lags } from './lags.ts';
import { LAST_CALL_MS, withLastCall } from './last-call.ts';
import { createStoredHealthReader } from './stored-health.ts';
import { watchHost } from './watch.ts';
import { createWorkers, type WorkersDeps } from './workers.ts';

export interface MonitorDeps {
  /** For any namespace. */
  readonly containerd: Containerd;
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  /** Wall time and boot id: together they identify a run. */
  readonly momentOf: () => Moment;
  /** The monitored namespaces; empty: all. */
  readonly namespaces: readonly string[];
  readonly budgets: BudgetLimits;
  /** Whether another tool makes the checks of a container; called before each of them. */
  readonly isCheckedElsewhere: (container: KnownContainer) => boolean;
  readonly proberOf: (context: ContainerContext, starts: StartGate) => ContainerProber;
  /** Empty at first. Only the monitor changes it. */
  readonly model: HostModel;
  readonly hooks: MonitorHooks;
}

/**
 * Schedules and makes the checks of a host's containers.
 *
 * INVARIANTS
 * 1. The known state of the host is one list and the events after it; an answer of containerd that an event has made
 *    outdated is dropped.
 * 2. The steps for one container run one after the other; those of different containers concurrently.
 * 3. A container has at most one worker, and every check is made under the store's check lock.
 * 4. `stop` resolves when no check is in flight and none is planned.
 */
export interface Monitor {
  /** Resolves after the first list, or when containerd cannot be reached; it then retries for ever. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Whether the model is up to date. */
  readonly isLive: boolean;
  readonly model: HostModel;
  readonly lags: Lags;
  /**
   * @returns `checked`: containers with a worker; `troubled`: containers whose last check could not be made
   *   or recorded
   */
  counts(): {
    readonly inFlight: number;
    readonly waiting: number;
    readonly checked: number;
    readonly troubled: number;
  };
  /** Monotonic time of the next check of a container, if one is planned. */
  nextCheckAtMs(key: string): number | undefined;
  /** Asks containerd for one container now: for callers that have just changed it and want to see the change. */
  refresh(container: ContainerRef): Promise<void>;
  /** Makes a check now, besides the schedule. Throws CONFLICT and NOT_FOUND like `check`. */
  checkNow(container: ContainerRef, signal: AbortSignal): Promise<CheckReport>;
  /** Releases a container that is about to be removed: stops its worker. */
  release(container: ContainerRef): Promise<void>;
}

/** How long to wait for another process that checks a container before we skip its sweep. */
const SWEEP_WAIT_MS = 1_000;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createMonitor(deps: MonitorDeps): Monitor {
  const { containerd, clock, log, hooks, model } = deps;
  const over = new AbortController();
  const lastCall = new AbortController();
  const contextOf = createContexts(deps.contextOf, lastCall.signal);
  const agenda = createAgenda(clock);
  const budgets = createBudgets(deps.budgets);
  const lags = createLags();
  const proberOf = (context: ContainerContext): ContainerProber => deps.proberOf(context, budgets.starts);
  const checker = createChecker({ clock, momentOf: deps.momentOf, contextOf, model, proberOf });
  const { inTurn, idle } = createTurns((key, error) => {
    if (!over.signal.aborted) log.warn(`container ${key}: ${messageOf(error)}`);
  });
  const sweep = createSweep({ model, contextOf, clock, log, over: over.signal });
  const storedHealth = createStoredHealthReader({ model, contextOf, hooks });
  const workers = createWorkers({
    ...{ clock, log, model, agenda, checker, storedHealth, sweep, over: over.signal },
    limiterOf: budgets.inFlightOf,
    isCheckedElsewhere: deps.isCheckedElsewhere,
    onShimSilent: (container) => host.askAgain(container),
    onLag: lags.add,
  });
  const isMonitored = (namespace: string): boolean =>
    deps.namespaces.length === 0 || deps.namespaces.includes(namespace);
  const host = createHostSync({
    ...{ containerd, clock, log, model, agenda, hooks, isMonitored, inTurn, sweep },
    readHealth: workers.read,
    reconcile: (key) =>
      inTurn(key, async () => {
        if (over.signal.aborted) return;
        await workers.reconcile(key);
        hooks.onChange(key);
      }),
  });
  let hostWatch: Promise<void> | undefined;
  let isLive = false;

  return {
    model,
    lags,
    refresh: host.refresh,
    get isLive() {
      return isLive;
    },
    counts: () => ({
      ...{ inFlight: budgets.inFlight, waiting: budgets.waiting },
      ...{ checked: workers.size, troubled: workers.troubled },
    }),
    nextCheckAtMs: workers.nextCheckAtMs,
    start: () =>
      new Promise((resolve) => {
        hostWatch = watchHost(
          {
            ...{ events: containerd.events, address: containerd.address, clock, log, list: host.list },
            onEvent: (event) => {
              if (!isMonitored(event.namespace)) return;
              host.applyEffect(model.apply(event));
              hooks.onEvent(event);
            },
            onState: (state) => {
              isLive = state === 'live';
              if (isLive) hooks.onLive?.();
              // Work that the list started is part of the start: callers rely on it.
              void idle().then(resolve);
            },
          },
          over.signal,
        );
      }),
    stop: async () => {
      over.abort();
      const late = clock.after(LAST_CALL_MS, () => lastCall.abort());
      await hostWatch;
      agenda.stop();
      await workers.stop();
      await idle();
      await checker.close();
      late.cancel();
    },
    checkNow: async (ref, signal) => {
      const key = keyOf(ref);
      const container = model.get(key);
      if (!container) throw new HealthctlError('NOT_FOUND', `No such container: ${ref.id}`);
      const ended = AbortSignal.any([signal, over.signal]);
      if (!container.config) throw new HealthctlError('CONFLICT', 'container has no health check configured');
      const release = await budgets.inFlightOf(container.config).acquire(ended);
      if (!release) return { kind: 'dropped', reason: 'cancelled' };
      try {
        const report = await checker.check(container, ended);
        workers.report(key, report);
        return report;
      } finally {
        release();
      }
    },
    release: (container) => inTurn(keyOf(container), () => workers.dismiss(keyOf(container))),
  };
}

/** One context per namespace, whose calls for checks are cancelled at `lastCall`. */
function createContexts(open: MonitorDeps['contextOf'], lastCall: AbortSignal): MonitorDeps['contextOf'] {
  const contexts = new Map<string, ContainerContext>();
  return (namespace) => {
    const context = contexts.get(namespace) ?? withLastCall(open(namespace), lastCall);
    contexts.set(namespace, context);
    return context;
  };
}

/** Removes what checks left in a container whose callers died, or that a pause interrupted. */
function createSweep(deps: {
  readonly model: HostModel;
  readonly contextOf: MonitorDeps['contextOf'];
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly over: AbortSignal;
}): WorkersDeps['sweep'] {
  const { model, contextOf, clock, log, over } = deps;
  return async (key, what) => {
    const container = model.get(key);
    if (!container) return;
    const { store, containerd } = contextOf(container.namespace);
    const subject = subjectOf(container);
    const done = new AbortController();
    const tooLong = new AbortController();
    void clock.sleep(SWEEP_WAIT_MS, AbortSignal.any([over, done.signal])).then(() => tooLong.abort());
    try {
      await store.withCheckLock(
        subject,
        ({ scratchDir }) =>
          sweepExecs({ tasks: containerd.tasks, log }, { containerId: container.id, scratchDir }, what),
        tooLong.signal,
      );
    } catch (error) {
      if (!hasCode(error, 'ABORTED')) throw error; // the process that now checks it has swept
    } finally {
      done.abort();
    }
  };
}
