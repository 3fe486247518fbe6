import { createHash } from 'node:crypto';
import type { CheckReport } from '../check/check.ts';
import type { ContainerContext } from '../container/context.ts';
import type { Containerd } from '../containerd/client.ts';
import type { ContainerRecord } from '../containerd/containers.ts';
import type { ContainerdEvent } from '../containerd/events.ts';
import type { Result } from '../health/result.ts';
import {
  effectiveState,
  endMsOf,
  type HealthState,
  type HealthStatus,
  isOfRun,
  type StoredHealth,
  testedForMs,
} from '../health/state.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import { sweepExecs } from '../probe/check-execs.ts';
import type { ContainerProber } from '../probe/container-prober.ts';
import type { StartGate } from '../probe/prober.ts';
import { recordFromCompact } from '../record/compact-record.ts';
import { type ContainerView, type Moment, viewFrom } from '../record/view.ts';
import { mirroredState } from '../store/health-file.ts';
import { createAgenda } from './agenda.ts';
import { type BudgetLimits, createBudgets } from './budgets.ts';
import { createChecker } from './checker.ts';
import { createHostModel, type Effect, type Found, type HostModel, keyOf, type Watched } from './host-model.ts';
import { createLags, type Lags } from './lags.ts';
import { LAST_CALL_MS, withLastCall } from './last-call.ts';
import { type Engaged, reconcile, type Step } from './reconcile.ts';
import { watchHost } from './watch.ts';
import { startWorker, type Worker } from './worker.ts';

export interface MonitorDeps {
  /** In any namespace. */
  readonly containerd: Containerd;
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  /** What processes are told by. */
  readonly momentOf: () => Moment;
  /** Those watched; empty: all of them. */
  readonly namespaces: readonly string[];
  readonly budgets: BudgetLimits;
  /** Whether somebody else makes the checks of a container; asked before each of them. */
  readonly isCheckedElsewhere: (container: Watched) => boolean;
  readonly proberOf: (context: ContainerContext, starts: StartGate) => ContainerProber;
  readonly hooks: MonitorHooks;
}

/** What the monitor tells of. */
export interface MonitorHooks {
  /** containerd answers, or answers again: the list is taken in. */
  onLive?(): void;
  /** All containers of a namespace, as a list of containerd tells. */
  onListed(namespace: string, records: readonly ContainerRecord[]): void;
  /** Each event in order, after the monitor has taken it in. */
  onEvent(event: ContainerdEvent): void;
  /** A run has ended, or was found ended; its worker is stopped by then. `exit` is undefined when nobody knows how it ended. */
  onExit(container: Watched, exit: Exit | undefined): Promise<void>;
  /** A container is gone from containerd, whoever removed it. */
  onGone(container: Watched): Promise<void>;
  /** A check of a container has recorded a result, be it nerdctl's. */
  onResult(container: Watched, state: HealthState, output: string): void;
  /** A result has changed the status of a container, be it nerdctl's. */
  onStatus(container: Watched, state: HealthState, result: Result): void;
  /** What is shown of a container may have changed. */
  onChange(key: string): void;
}

export interface Exit {
  readonly code: number;
  readonly atMs: number;
}

/** Names a container. */
export interface Place {
  readonly namespace: string;
  readonly id: string;
}

/**
 * Checks the containers of a host by itself.
 *
 * INVARIANTS
 * 1. What is known of the host is one list and the events after it; an answer of containerd that an event has overtaken is dropped.
 * 2. The steps for one container are taken one after the other; for different containers at the same time.
 * 3. A container has at most one worker, and every check is made under the store's check lock.
 * 4. `stop` resolves when no check is in flight and none is planned.
 */
export interface Monitor {
  /** Resolves after the first list; or when containerd cannot be reached, which is tried again for ever. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Whether the model is up to date. */
  readonly isLive: boolean;
  readonly model: HostModel;
  readonly lags: Lags;
  /** @returns `troubled`: containers whose last check could not be made, or its result not be recorded */
  counts(): {
    readonly inFlight: number;
    readonly waiting: number;
    readonly watched: number;
    readonly troubled: number;
  };
  /** Monotonic time of the next check of a container, where one is planned. */
  nextCheckAtMs(key: string): number | undefined;
  /** Asks containerd for one container now: for whoever has just changed it and wants to see that. */
  refresh(place: Place): Promise<void>;
  /** One check now, besides the schedule. Throws CONFLICT and NOT_FOUND as `check` does. */
  checkNow(place: Place, signal: AbortSignal): Promise<CheckReport>;
  /** Lets go of a container that is about to be removed: its worker is stopped. */
  release(place: Place): Promise<void>;
}

export function viewOfWatched({ record, task, run, isOutOfMemory, isShimSilent = false }: Watched): ContainerView {
  const facts = { record: recordFromCompact(record), task, run, isStateUnknown: isShimSilent };
  return { ...viewFrom(facts), isOutOfMemory };
}

/** What a container's health is, as far as the monitor knows. Undefined for one without a check or never started. */
export function healthOfWatched(container: Watched): HealthState | undefined {
  if (!container.config) return undefined;
  const { taskView: task, started } = viewOfWatched(container);
  return effectiveState({ stored: container.stored, task, started });
}

/** When the mirror label is looked at again after somebody wrote labels: nerdctl writes the label first and the line of health.json then. */
const MIRROR_AFTER_MS = 1_000;
/** When the line is looked for for the first time. */
const LINE_AFTER_MS = 100;
/** How long another process that checks a container may keep us from sweeping it. */
const SWEEP_WAIT_MS = 1_000;
/** When a container is asked for again whose shim did not tell its state. */
const ASK_AGAIN_MS = 1_000;
/** An answer that events overtake so often is taken as it is: the next event puts it right. */
const MAX_TRIES = 5;

export function createMonitor(deps: MonitorDeps): Monitor {
  const { containerd, clock, log, hooks } = deps;
  const lastCall = new AbortController();
  const contexts = new Map<string, ContainerContext>();
  const contextOf = (namespace: string): ContainerContext => {
    const context = contexts.get(namespace) ?? withLastCall(deps.contextOf(namespace), lastCall.signal);
    contexts.set(namespace, context);
    return context;
  };
  const model = createHostModel(deps.momentOf);
  const agenda = createAgenda(clock);
  const budgets = createBudgets(deps.budgets);
  const lags = createLags();
  const checker = createChecker({
    ...deps,
    contextOf,
    model,
    proberOf: (context) => deps.proberOf(context, budgets.starts),
  });
  const workers = new Map<string, Place & { readonly worker: Worker; engaged: Engaged }>();
  const chains = new Map<string, Promise<void>>();
  const troubled = new Set<string>();
  const doubted = new Set<string>();
  /** By container: the last result that we acted on, and the status that it left. */
  const acted = new Map<
    string,
    { readonly runId: string; readonly start: string | undefined; readonly status: HealthStatus }
  >();
  const over = new AbortController();
  let watching: Promise<void> | undefined;
  let isLive = false;

  /** Does something with a container when all that was begun with it before is done. */
  const inTurn = (key: string, work: () => Promise<void> | void): Promise<void> => {
    const mine = (chains.get(key) ?? Promise.resolve()).then(work).catch((error: unknown) => {
      if (!over.signal.aborted) log.warn(`container ${key}: ${messageOf(error)}`);
    });
    chains.set(key, mine);
    void mine.then(() => {
      if (chains.get(key) === mine) chains.delete(key);
    });
    return mine;
  };

  const settle = (key: string): Promise<void> =>
    inTurn(key, async () => {
      if (over.signal.aborted) return;
      for (const step of reconcile(observe(model.get(key)), workers.get(key)?.engaged)) await take(key, step);
      hooks.onChange(key);
    });

  const take = async (key: string, step: Step): Promise<void> => {
    const present = workers.get(key);
    const engage = (change: Partial<Engaged>): void => {
      if (present) present.engaged = { ...present.engaged, ...change };
    };
    switch (step.kind) {
      case 'start':
        return begin(key, step);
      case 'stop':
        return dismiss(key);
      case 'pause':
        present?.worker.pause();
        return engage({ isPaused: true });
      case 'resume':
        present?.worker.resume();
        engage({ isPaused: false });
        return sweep(key, { residents: false });
      case 'reconfigure':
        present?.worker.reconfigure(step.config, step.startsOver);
        engage({ config: step.config });
        return present && checker.letGo(present);
    }
  };
  const dismiss = async (key: string): Promise<void> => {
    const present = workers.get(key);
    workers.delete(key);
    troubled.delete(key);
    acted.delete(key);
    await present?.worker.stop();
    if (present) await checker.letGo(present);
  };

  const begin = async (key: string, step: Extract<Step, { kind: 'start' }>): Promise<void> => {
    const { run, config, isPaused } = step;
    if (model.get(key)?.isStartSeen === false) {
      if (!isPaused) await sweep(key, { residents: true });
      await synchronise(key, { writesMirror: true });
    }
    const container = model.get(key);
    if (!container || container.run?.id !== run.id || over.signal.aborted) return; // what came meanwhile settles again
    const last = isOfRun(container.stored, run) ? container.stored.log.at(-1) : undefined;
    const now = { nowMs: clock.now(), bootMs: clock.boot() };
    const status = healthOfWatched(container)?.status ?? 'starting';
    acted.set(key, { runId: run.id, start: container.stored.log.at(-1)?.start, status });
    const worker = startWorker(
      {
        ...{ clock, agenda, limiterOf: budgets.inFlightOf },
        check: (signal) => checkRun(key, signal),
        onReport: (report) => takeReport(key, report),
        onFailure: (error) => tellFailure(key, error),
        onLag: lags.add,
      },
      {
        ...{ config, isPaused, share: shareOf(key) },
        testedForMs: testedForMs(run, now),
        status,
        // A time that is to come was noted before the clock was set back.
        sinceLastEndMs: last && Math.max(0, now.nowMs - endMsOf(last, now)),
      },
    );
    const { namespace, id } = container;
    workers.set(key, { namespace, id, worker, engaged: { runId: run.id, config, isPaused } });
  };

  /** What checks whose callers died, or that a pause caught, left in a container is released. */
  const sweep = async (key: string, what: { readonly residents: boolean }): Promise<void> => {
    const container = model.get(key);
    if (!container) return;
    const { store, containerd: own } = contextOf(container.namespace);
    const subject = { namespace: container.namespace, id: container.id, labels: container.record.labels };
    const done = new AbortController();
    const tooLong = new AbortController();
    void clock.sleep(SWEEP_WAIT_MS, AbortSignal.any([over.signal, done.signal])).then(() => tooLong.abort());
    try {
      await store.withCheckLock(
        subject,
        ({ scratchDir }) => sweepExecs({ tasks: own.tasks, log }, { containerId: container.id, scratchDir }, what),
        tooLong.signal,
      );
    } catch (error) {
      if (!hasCode(error, 'ABORTED')) throw error; // whoever checks it now has swept
    } finally {
      done.abort();
    }
  };

  /** Reads what is stored of a container's health. @param options.writesMirror also the label, where that lags behind */
  const synchronise = async (key: string, options: { readonly writesMirror: boolean }): Promise<void> => {
    const container = model.get(key);
    if (!container?.config) return;
    const { store } = contextOf(container.namespace);
    const subject = { namespace: container.namespace, id: container.id, labels: container.record.labels };
    const { retries } = container.config;
    const stored = options.writesMirror
      ? await store.update(subject, () => undefined, { retries })
      : await store.get(subject);
    model.remember(key, stored);
    const known = model.get(key);
    const status = known && healthOfWatched(known)?.status;
    if (status) workers.get(key)?.worker.setStatus(status);
    if (known) takeForeign(known, stored);
    hooks.onChange(key);
  };

  /** What follows from a result that nerdctl wrote: the same as from one of ours, once. Ours, which names its run, is told by its own check. */
  const takeForeign = (container: Watched, { state, log: results }: StoredHealth): void => {
    const key = keyOf(container);
    const [before, result, { run }] = [acted.get(key), results.at(-1), container];
    if (!before || !run || before.runId !== run.id || !result || result.start === before.start) return;
    if (!state || state.run !== undefined || !isOfRun({ state, log: results }, run)) return;
    acted.set(key, { runId: run.id, start: result.start, status: state.status });
    hooks.onResult(container, state, result.output);
    if (state.status !== before.status) hooks.onStatus(container, state, result);
  };

  const checkRun = async (key: string, signal: AbortSignal): Promise<CheckReport> => {
    const container = model.get(key);
    if (!container) return { kind: 'dropped', reason: 'ended' };
    if (!deps.isCheckedElsewhere(container)) return checker.check(container, signal);
    await synchronise(key, { writesMirror: false });
    return { kind: 'dropped', reason: 'cancelled' };
  };

  const takeReport = (key: string, report: CheckReport): void => {
    troubled.delete(key);
    const container = model.get(key);
    if (report.kind === 'dropped' && report.reason === 'unknown' && container) askAgain(container);
    if (report.kind !== 'recorded' || !container) return;
    if (container.run) {
      acted.set(key, { runId: container.run.id, start: report.result.start, status: report.state.status });
    }
    model.remember(key, { log: [report.result], state: report.state });
    workers.get(key)?.worker.setStatus(report.state.status);
    hooks.onResult(container, report.state, report.result.output);
    if (report.statusChanged) hooks.onStatus(container, report.state, report.result);
    hooks.onChange(key);
  };

  /** Told once, until a check of the container could be made again. That containerd is gone, or the container, is told elsewhere. */
  const tellFailure = (key: string, error: unknown): void => {
    const isExpected = hasCode(error, 'UNAVAILABLE', 'CONFLICT', 'NOT_FOUND') || troubled.has(key);
    const text = `container ${key}: its check could not be made: ${messageOf(error)}`;
    if (!isExpected) troubled.add(key);
    log[isExpected ? 'debug' : 'warn'](text);
  };

  const takeEffect = (effect: Effect): void => {
    switch (effect.kind) {
      case 'none':
        return;
      case 'unknown':
        // Should containerd be lost meanwhile, the list after it tells everything.
        void refresh(effect).catch((error: unknown) => log.debug(`container ${keyOf(effect)}: ${messageOf(error)}`));
        return;
      case 'changed':
        watchMirror(effect.container);
        void settle(keyOf(effect.container));
        return;
      case 'exited': {
        const { container, exitStatus: code, exitedAtMs: atMs } = effect;
        tellExit(container, { code, atMs });
        return;
      }
      case 'deleted':
        tellGone(effect.container);
        return;
    }
  };
  const tellExit = (container: Watched, exit: Exit | undefined): void => {
    void settle(keyOf(container));
    void inTurn(keyOf(container), () => hooks.onExit(container, exit));
  };
  const tellGone = (container: Watched): void => {
    void settle(keyOf(container));
    void inTurn(keyOf(container), () => hooks.onGone(container));
  };

  /** Labels that somebody else wrote may hold another state than what is stored: his check, or an old copy of ours put back. */
  const watchMirror = ({ config, record, stored, namespace, id }: Watched): void => {
    const mirrored = mirroredState(record.labels);
    const { state } = stored;
    const isSame =
      mirrored?.status === state?.status &&
      mirrored?.failingStreak === state?.failingStreak &&
      mirrored?.run === state?.run;
    if (!config || isSame) return;
    const key = keyOf({ namespace, id });
    void inTurn(key, () => synchronise(key, { writesMirror: false }));
    const lookIn = (ms: number, writesMirror: boolean): void => {
      agenda.at(clock.monotonic() + ms, () => void inTurn(key, () => synchronise(key, { writesMirror })));
    };
    lookIn(LINE_AFTER_MS, false);
    lookIn(MIRROR_AFTER_MS, true);
  };

  const takeIn = (place: Place, found: Found | undefined): void => {
    const before = model.get(keyOf(place));
    if (found?.task?.status === 'unknown') {
      model.put(place, found);
      askAgain(place);
      return;
    }
    const after = model.put(place, found);
    if (!after) {
      if (before) tellGone(before);
      return;
    }
    const { exitStatus: code = 0, exitedAtMs: atMs } = after.task ?? {};
    const isEnded = !after.run && (after.task?.status === 'stopped' || before?.run !== undefined);
    if (isEnded) tellExit(after, atMs === undefined ? undefined : { code, atMs });
    else void settle(keyOf(place));
  };

  /** The shim is busy, or stands still because of what a check left whose caller died. Until it answers, what was known of the task holds. */
  const askAgain = (place: Place): void => {
    const key = keyOf(place);
    const logged = (error: unknown): void => log.debug(`container ${key}: ${messageOf(error)}`);
    void settle(key);
    void inTurn(key, () => sweep(key, { residents: true }).catch(logged));
    if (doubted.has(key)) return;
    doubted.add(key);
    agenda.at(clock.monotonic() + ASK_AGAIN_MS, () => {
      doubted.delete(key);
      if (model.get(key)) void refresh(place).catch(logged);
    });
  };

  const refresh = async (place: Place): Promise<void> => {
    const key = keyOf(place);
    const { containers, tasks } = containerd.inNamespace(place.namespace);
    for (let tries = 1; ; tries += 1) {
      const version = model.versionOf(key);
      const [record, task] = await Promise.all([
        containers.get(place.id).catch((error: unknown) => {
          if (hasCode(error, 'NOT_FOUND')) return undefined;
          throw error;
        }),
        tasks.find(place.id),
      ]);
      if (model.versionOf(key) !== version && tries < MAX_TRIES) continue;
      takeIn(place, record && { record, task });
      await settle(key);
      return;
    }
  };

  const isWatched = (namespace: string): boolean => deps.namespaces.length === 0 || deps.namespaces.includes(namespace);

  const list = async (signal: AbortSignal): Promise<void> => {
    const namespaces = (await containerd.host.namespaces({ signal })).filter(isWatched);
    for (const namespace of namespaces) await listNamespace(namespace, signal);
    for (const { namespace, id } of [...model.all()])
      if (!namespaces.includes(namespace)) takeIn({ namespace, id }, undefined);
  };
  const listNamespace = async (namespace: string, signal: AbortSignal): Promise<void> => {
    const known = [...model.all()].filter((container) => container.namespace === namespace);
    const versions = new Map(known.map((container) => [keyOf(container), model.versionOf(keyOf(container))]));
    const own = containerd.inNamespace(namespace);
    const [records, tasks] = await Promise.all([own.containers.list([], { signal }), own.tasks.list({ signal })]);
    hooks.onListed(namespace, records);
    const taskOf = new Map(tasks.map((task) => [task.containerId, task]));
    const found = new Map(records.map((record) => [record.id, { record, task: taskOf.get(record.id) }]));
    for (const id of new Set([...found.keys(), ...known.map((container) => container.id)])) {
      const key = keyOf({ namespace, id });
      const isOvertaken = model.versionOf(key) !== (versions.get(key) ?? 0);
      if (isOvertaken) void refresh({ namespace, id }).catch((error: unknown) => log.debug(messageOf(error)));
      else takeIn({ namespace, id }, found.get(id));
    }
  };

  return {
    model,
    lags,
    refresh,
    get isLive() {
      return isLive;
    },
    counts: () => ({
      ...{ inFlight: budgets.inFlight, waiting: budgets.waiting },
      ...{ watched: workers.size, troubled: troubled.size },
    }),
    nextCheckAtMs: (key) => workers.get(key)?.worker.nextAtMs,
    start: () =>
      new Promise((resolve) => {
        watching = watchHost(
          {
            ...{ events: containerd.events, address: containerd.address, clock, log, list },
            onEvent: (event) => {
              if (!isWatched(event.namespace)) return;
              takeEffect(model.apply(event));
              hooks.onEvent(event);
            },
            onState: (state) => {
              isLive = state === 'live';
              if (isLive) hooks.onLive?.();
              // What the list began is part of the start: whoever is told that we run may rely on it.
              void Promise.all(chains.values()).then(() => resolve());
            },
          },
          over.signal,
        );
      }),
    stop: async () => {
      over.abort();
      const late = clock.after(LAST_CALL_MS, () => lastCall.abort());
      await watching;
      agenda.stop();
      await Promise.all([...workers.values()].map(({ worker }) => worker.stop()));
      workers.clear();
      troubled.clear();
      await Promise.all(chains.values());
      await checker.close();
      late.cancel();
    },
    checkNow: async (place, signal) => {
      const key = keyOf(place);
      const container = model.get(key);
      if (!container) throw new HealthctlError('NOT_FOUND', `No such container: ${place.id}`);
      const ended = AbortSignal.any([signal, over.signal]);
      if (!container.config) throw new HealthctlError('CONFLICT', 'container has no health check configured');
      const release = await budgets.inFlightOf(container.config).acquire(ended);
      if (!release) return { kind: 'dropped', reason: 'cancelled' };
      try {
        const report = await checker.check(container, ended);
        takeReport(key, report);
        return report;
      } finally {
        release();
      }
    },
    release: (place) => inTurn(keyOf(place), () => dismiss(keyOf(place))),
  };
}

function observe(container: Watched | undefined) {
  if (!container) return undefined;
  const { config, run, task } = container;
  return { config, run, isPaused: task?.status === 'paused' || task?.status === 'pausing' };
}

/** In [0, 1), the same for a container each time. */
function shareOf(key: string): number {
  return createHash('sha1').update(key).digest().readUInt32BE(0) / 2 ** 32;
}
