import { type ContainerContext, createContainerContext } from '../container/context.ts';
import type { Containerd } from '../containerd/client.ts';
import { publishHealthStatus } from '../events/own-events.ts';
import { sweepLeases } from '../image/lease.ts';
import { version } from '../lib/build-info.ts';
import type { Clock } from '../lib/clock.ts';
import { type ContainerRef, keyOf } from '../lib/container-key.ts';
import { counted } from '../lib/counted.ts';
import { messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import type { Settings } from '../lib/settings.ts';
import { maxInFlightOf } from '../monitor/budgets.ts';
import { createAdoption } from '../monitor/duties/adoption.ts';
import { createKeeper } from '../monitor/duties/after-exit.ts';
import { createNetworkKeeper } from '../monitor/duties/attach-missed.ts';
import { createContainerActions } from '../monitor/duties/container-actions.ts';
import { createLogKeeper } from '../monitor/duties/index-output.ts';
import { createSupervisor } from '../monitor/duties/supervisor.ts';
import type { Watched } from '../monitor/host-model.ts';
import { LAST_CALL_MS, withLastSignal } from '../monitor/last-call.ts';
import { createMonitor } from '../monitor/monitor.ts';
import { createContainerProber } from '../probe/container-prober.ts';
import { momentOf } from '../record/view.ts';
import { isNerdctls } from '../store/state-dir.ts';
import { readDescriptorLimit, readDescriptors } from '../system/descriptors.ts';
import { releaseMemory, residentBytes } from '../system/memory.ts';
import type { Notifier } from '../system/sd-notify.ts';
import { openEventHub } from './api/event-stream.ts';
import { createApiServer } from './api/server.ts';
import { createService, type ServiceDeps } from './api/service.ts';
import { connectionBudget } from './connection-gate.ts';
import { withDescriptorReserve } from './descriptor-reserve.ts';
import { createForeignStopNotes } from './foreign-stop-notes.ts';
import { openGrpcHealthServer } from './grpc/grpc-health.ts';
import { createHealthSource } from './grpc/health-source.ts';
import { hookEventOf } from './hooks/hook-event.ts';
import { createHooks } from './hooks/hooks.ts';
import { createHookRunner } from './hooks/run-hook.ts';
import { untilIdle } from './idle.ts';
import { logStatus } from './log-status.ts';
import { claimMonitor, type MonitorClaim } from './monitor-claim.ts';
import { type DaemonPlaces, daemonPlacesOf } from './places.ts';
import { lockRunRoot } from './run-root-lock.ts';
import { restoreStateDirs } from './state-dirs.ts';
import { createTidier } from './tidier.ts';

export interface DaemonDeps {
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly settings: Settings;
  /** Ends itself when there is nothing to do, and may be replaced by a newer command. */
  readonly isAutostarted: boolean;
  /** Number of the group that may use the sockets. */
  readonly socketGroupId: number | undefined;
  readonly notifier: Notifier;
  /** Of the process, whose daemons come one after the other. */
  readonly identity: ServiceDeps['identity'];
  /** Called once the locks are held, before anything is watched: what a second daemon must not do, which ends at the locks. */
  readonly onLocked: () => Promise<void>;
}

/** Why a daemon ended. */
type DaemonEnd = 'asked' | 'idle' | 'signal' | 'reload';

/**
 * The process around the monitor. Order of the start: lock, monitor, API; of the stop the reverse, so that whoever reaches the API finds a
 * monitor that works, and a second daemon starts only when the first has let go of everything.
 *
 * INVARIANTS
 * 1. One daemon for each containerd, whatever its run root: its locks say so, and are free when its process is dead.
 * 2. After `run` has returned nothing of it is left: no exec, no FIFO, no socket, no timer.
 */
export interface Daemon {
  /** Runs until the signal fires (its reason may be `reload`), somebody asks it to end, or, autostarted, there is nothing to do. Throws CONFLICT when another one runs. */
  run(signal: AbortSignal): Promise<DaemonEnd>;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createDaemon(deps: DaemonDeps): Daemon {
  const { clock, log, settings, isAutostarted, notifier } = deps;
  const places = daemonPlacesOf(settings);
  const startedAtMs = clock.now();
  return {
    // biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
    run: async (signal) => {
      const locks = await takeLocks(deps, places);
      const contextOf = contextsOf(deps);
      const hub = openEventHub({
        ...{ clock, log, runRoot: settings.runRoot },
        containerd: deps.containerd.inNamespace(settings.monitor.namespaces[0] ?? settings.namespace),
      });
      const lastSignal = new AbortController();
      const actingContextOf = (namespace: string) => withLastSignal(contextOf(namespace), lastSignal.signal);
      const keeper = createKeeper({ contextOf: actingContextOf, clock, log });
      const logKeeper = createLogKeeper({ contextOf, clock, log });
      const networks = createNetworkKeeper({ contextOf, log });
      const takeBackStopNotes = createForeignStopNotes({
        ...{ clock, log },
        runOf: (namespace, id) => get(keyOf({ namespace, id }))?.run?.id,
        clear: (namespace, id) =>
          contextOf(namespace).containerd.containers.setLabels(id, { [LABELS.explicitlyStopped]: '' }),
      });
      const tidier = createTidier({ clock, release: releaseMemory, residentBytes });
      const asked = new AbortController();
      /** Another monitor has claimed the containerd that came back. */
      let superseded: unknown;
      const adoption = createAdoption({
        ...{ adopt: settings.monitor.adopt, clock, log },
        endTimer: ({ namespace, id }) => contextOf(namespace).endNerdctlTimer(id),
        isNerdctls: ({ namespace, id, record: { labels } }) =>
          isNerdctls(contextOf(namespace).dirs, { namespace, id, labels }),
      });
      const monitor = createMonitor({
        ...{ containerd: deps.containerd, contextOf, clock, log },
        namespaces: settings.monitor.namespaces,
        budgets: {
          ...{ maxStarts: settings.monitor.maxChecks, exec: settings.monitor.exec },
          maxInFlight: maxInFlightOf(readDescriptorLimit()),
        },
        momentOf: () => momentOf(clock),
        isCheckedElsewhere: adoption.isElsewhere,
        proberOf: ({ containerd: { tasks } }, starts) =>
          withDescriptorReserve(
            createContainerProber({ tasks, clock, log, starts, exec: settings.monitor.exec, mayReside: true }),
            { clock, read: readDescriptors },
          ),
        hooks: {
          onResult: (container, state, output) => supervisor.onResult(container, state, output),
          onExit: keeper.onExit,
          onListed: (namespace, records) => {
            hub.learn(namespace, records);
            restoreStateDirs(contextOf(namespace), records);
            takeBackStopNotes(namespace, records);
          },
          onLive: () => {
            locks.follow().catch((error: unknown) => {
              superseded = error;
              asked.abort();
            });
          },
          onEvent: (event) => {
            hub.take(event);
            if (event.kind !== 'task-started') return;
            tidier.onStarted();
            const started = get(keyOf(event));
            if (started) void networks.onStarted(started);
          },
          onStatus: (container, { status, failingStreak }, { exitCode, output }) => {
            const { namespace, id } = container;
            const { events } = contextOf(namespace).containerd;
            void publishHealthStatus(events, log, { id, status, failingStreak });
            logStatus(log, container, { status, failingStreak, exitCode, output });
            if (status === 'starting') return;
            hooks.tell(hookEventOf(container, clock.now(), { event: status, failingStreak, exitCode, output }));
          },
          onChange: (key) => {
            source.tell(servicesOf(monitor.model.get(key), key));
            supervisor.onChange(key);
            logKeeper.onChange(key, monitor.model.get(key));
          },
          onGone: async (container) => {
            adoption.forget(container);
            source.tell(servicesOf(container, keyOf(container)));
            await keeper.onGone(container);
          },
        },
      });
      const { get } = monitor.model;
      const hooks = createHooks({ hooks: settings.monitor.hooks, run: createHookRunner(clock), clock, log });
      const onRestarted = (ref: ContainerRef, reason: string): void => {
        const container = get(keyOf(ref));
        if (container) hooks.tell(hookEventOf(container, clock.now(), { event: 'restart', reason }));
      };
      const supervisor = createSupervisor({
        get,
        actions: { ...createContainerActions(actingContextOf), onRestarted },
        clock,
        log,
      });
      const service = createService({
        ...{ monitor, contextOf, settings, startedAtMs, isAutostarted, identity: deps.identity },
        ...{ isRestarting: supervisor.isRestarting, nextRestartAtMs: supervisor.nextRestartAtMs },
      });
      const source = createHealthSource(service);
      const budget = connectionBudget(readDescriptors());
      const shared = { groupId: deps.socketGroupId, clock, log };
      const grpc = openGrpcHealthServer({ ...shared, path: places.grpcSocket, maxConnections: budget.grpc, source });
      const server = createApiServer({
        ...{ ...shared, path: places.apiSocket, maxConnections: budget.api, service },
        streams: hub,
        onStop: () => asked.abort(),
      });
      const ended = AbortSignal.any([signal, asked.signal]);
      try {
        await deps.onLocked();
        await networks.sweep(settings.namespace);
        await Promise.race([monitor.start(), clock.sleep(Number.MAX_SAFE_INTEGER, ended)]);
        if (!ended.aborted && monitor.isLive) await hub.makeUpFor(monitor.model.all());
        if (!ended.aborted) await Promise.all([server.start(), grpc.start()]);
        notifier.ready();
        tidier.onReady();
        void sweepAbandonedLeases(deps, [...monitor.model.all()]);
        void keepAlive(deps, ended);
        log.info(`healthctl ${version} monitors containerd at ${settings.address}`);
        const { idleTimeoutMs } = settings.monitor;
        await (isAutostarted
          ? untilIdle({ clock, monitor, supervisor, server, places, idleTimeoutMs }, ended)
          : clock.sleep(Number.MAX_SAFE_INTEGER, ended));
        if (superseded !== undefined) throw superseded;
        const end = endOf(ended, asked.signal);
        log.info(`ends: ${end}`);
        return end;
      } finally {
        await Promise.all([server.stop(), grpc.stop()]);
        const late = clock.after(LAST_CALL_MS, () => lastSignal.abort());
        await supervisor.stop();
        await monitor.stop();
        late.cancel();
        await networks.stop();
        logKeeper.stop();
        tidier.stop();
        await hooks.stop();
        await hub.close();
        await locks.release();
      }
    },
  };
}

function endOf(ended: AbortSignal, asked: AbortSignal): DaemonEnd {
  if (!ended.aborted) return 'idle';
  if (asked.aborted) return 'asked';
  return ended.reason === 'reload' ? 'reload' : 'signal';
}

/** The leases of commands that were killed, in the namespaces that have containers. */
async function sweepAbandonedLeases(
  { containerd, settings, log }: DaemonDeps,
  watched: readonly { readonly namespace: string }[],
): Promise<void> {
  for (const namespace of new Set([settings.namespace, ...watched.map((one) => one.namespace)])) {
    try {
      const count = await sweepLeases(containerd.inNamespace(namespace));
      if (count > 0)
        log.info(`dropped ${counted(count, 'lease')} of commands that were killed in namespace ${namespace}`);
    } catch (error) {
      log.debug(`leases of namespace ${namespace} were not swept: ${messageOf(error)}`);
    }
  }
}

/** The lock of the run root, and the claim on containerd. Throws CONFLICT that names the monitor which has one of them. */
async function takeLocks(
  { clock, log, settings, socketGroupId: groupId }: DaemonDeps,
  places: DaemonPlaces,
): Promise<MonitorClaim> {
  const lock = await lockRunRoot(places, { clock, log, groupId });
  try {
    const { address, runRoot, monitor } = settings;
    const claim = await claimMonitor({ address, runRoot, namespaces: monitor.namespaces }, { clock, log });
    return {
      follow: claim.follow,
      release: async () => {
        await claim.release();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** As often as systemd's watchdog wants to hear from us. */
async function keepAlive({ clock, notifier }: DaemonDeps, ended: AbortSignal): Promise<void> {
  const { watchdogIntervalMs } = notifier;
  while (watchdogIntervalMs !== undefined && !ended.aborted) {
    notifier.watchdog();
    await clock.sleep(watchdogIntervalMs, ended);
  }
}

/** The names that a container answers to. */
function servicesOf(container: Watched | undefined, key: string): readonly string[] {
  const name = container?.record.labels[LABELS.name];
  return container && name !== undefined ? [key, `${container.namespace}/${name}`] : [key];
}

function contextsOf({ containerd, clock, log, settings }: DaemonDeps): (namespace: string) => ContainerContext {
  const known = new Map<string, ContainerContext>();
  const { runRoot, dataRoot, nerdctlDataRoot, snapshotter, healthLogEntries, network } = settings;
  return (namespace) => {
    const made =
      known.get(namespace) ??
      createContainerContext({
        ...{ clock, log, snapshotter, healthLogEntries, network },
        containerd: containerd.inNamespace(namespace),
        dirs: { runRoot, dataRoot, nerdctlDataRoot },
      });
    known.set(namespace, made);
    return made;
  };
}
