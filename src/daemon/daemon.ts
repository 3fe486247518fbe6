import { chmodSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { type ContainerContext, createContainerContext } from '../container/context.ts';
import { restartPolicyOf } from '../container/restart-label.ts';
import { momentOf } from '../container/view.ts';
import type { Containerd } from '../containerd/client.ts';
import { publishHealthStatus } from '../events/own-events.ts';
import { version } from '../lib/build-info.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import type { Settings } from '../lib/settings.ts';
import { keyOf, type Watched } from '../monitor/host-model.ts';
import { createMonitor, type Monitor, type Place } from '../monitor/monitor.ts';
import { createSupervisor, type Supervisor } from '../monitor/supervisor.ts';
import { createContainerProber } from '../probe/container-prober.ts';
import { replaceFile } from '../store/atomic-write.ts';
import { isNerdctls } from '../store/state-dir.ts';
import { type FileLock, lockFile } from '../system/flock.ts';
import { releaseMemory } from '../system/memory.ts';
import { makeOwnDirectory } from '../system/own-file.ts';
import type { Notifier } from '../system/sd-notify.ts';
import { MAX_SOCKET_PATH_BYTES } from '../system/socket-path.ts';
import { createAdoption } from './adoption.ts';
import { openEventHub } from './event-hub.ts';
import { openGrpcHealthServer } from './grpc-health.ts';
import { createHands } from './hands.ts';
import { createHealthSource } from './health-source.ts';
import { hookEventOf } from './hook-event.ts';
import { createHooks } from './hooks.ts';
import { createKeeper, isAutoRemoved } from './keeper.ts';
import { createLogKeeper, isLogLimited } from './log-keeper.ts';
import { createNetworkKeeper } from './network-keeper.ts';
import { ownerFileOf, ownerOf } from './owner.ts';
import { type DaemonPlaces, daemonPlacesOf } from './places.ts';
import { createHookRunner } from './run-hook.ts';
import { createApiServer } from './server.ts';
import { createService } from './service.ts';
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
}

/** Why a daemon ended. */
export type DaemonEnd = 'asked' | 'idle' | 'signal' | 'reload';

/**
 * The process around the monitor. Order of the start: lock, monitor, API; of the stop the reverse, so that whoever reaches the API finds a
 * monitor that works, and a second daemon starts only when the first has let go of everything.
 *
 * INVARIANTS
 * 1. One daemon for each containerd: the lock says so, and is free when its process is dead.
 * 2. After `run` has returned nothing of it is left: no exec, no FIFO, no socket, no timer.
 */
export interface Daemon {
  /** Runs until the signal fires (its reason may be `reload`), somebody asks it to end, or, autostarted, there is nothing to do. Throws CONFLICT when another one runs. */
  run(signal: AbortSignal): Promise<DaemonEnd>;
}

const IDLE_LOOK_MS = 1_000;

export function createDaemon(deps: DaemonDeps): Daemon {
  const { clock, log, settings, isAutostarted, notifier } = deps;
  const places = daemonPlacesOf(settings);
  const startedAtMs = clock.now();
  return {
    run: async (signal) => {
      const lock = await takeLock(places, deps);
      const contextOf = contextsOf(deps);
      const hub = openEventHub({
        ...{ clock, log, runRoot: settings.runRoot },
        containerd: deps.containerd.inNamespace(settings.monitor.namespaces[0] ?? settings.namespace),
      });
      const keeper = createKeeper({ contextOf, clock, log });
      const logKeeper = createLogKeeper({ contextOf, clock, log });
      const networks = createNetworkKeeper({ contextOf, log });
      const tidier = createTidier(clock, releaseMemory);
      const asked = new AbortController();
      const monitor = createMonitor({
        ...{ containerd: deps.containerd, contextOf, clock, log },
        ...{ namespaces: settings.monitor.namespaces, maxChecks: settings.monitor.maxChecks },
        momentOf: () => momentOf(clock),
        isCheckedElsewhere: createAdoption({
          ...{ adopt: settings.monitor.adopt, log },
          isNerdctls: ({ namespace, id, record: { labels } }) =>
            isNerdctls(contextOf(namespace).dirs, { namespace, id, labels }),
        }),
        proberOf: ({ containerd: { tasks } }) =>
          createContainerProber({ tasks, clock, log, exec: settings.monitor.exec, mayReside: true }),
        hooks: {
          onResult: (container, state, output) => supervisor.onResult(container, state, output),
          onExit: keeper.onExit,
          onListed: hub.learn,
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
            if (status === 'starting') return;
            hooks.tell(hookEventOf(container, clock.now(), { event: status, failingStreak, exitCode, output }));
          },
          onChange: (key) => {
            source.tell(servicesOf(monitor.model.get(key), key));
            supervisor.onChange(key);
            logKeeper.onChange(key, monitor.model.get(key));
          },
          onGone: async (container) => {
            source.tell(servicesOf(container, keyOf(container)));
            await keeper.onGone(container);
          },
        },
      });
      const { get } = monitor.model;
      const hooks = createHooks({ hooks: settings.monitor.hooks, run: createHookRunner(clock), clock, log });
      const onRestarted = (place: Place, reason: string): void => {
        const container = get(keyOf(place));
        if (container) hooks.tell(hookEventOf(container, clock.now(), { event: 'restart', reason }));
      };
      const supervisor = createSupervisor({ get, hands: { ...createHands(contextOf), onRestarted }, clock, log });
      const service = createService({
        ...{ monitor, contextOf, settings, startedAtMs, isAutostarted },
        isRestarting: supervisor.isRestarting,
      });
      const source = createHealthSource(service);
      const grpc = openGrpcHealthServer({ path: places.grpcSocket, groupId: deps.socketGroupId, source, clock, log });
      const server = createApiServer({
        ...{ path: places.apiSocket, groupId: deps.socketGroupId, service, clock, log },
        streams: hub,
        onStop: () => asked.abort(),
      });
      const ended = AbortSignal.any([signal, asked.signal]);
      try {
        await networks.sweep(settings.namespace);
        await Promise.race([monitor.start(), clock.sleep(Number.MAX_SAFE_INTEGER, ended)]);
        if (!ended.aborted) await Promise.all([server.start(), grpc.start()]);
        notifier.ready();
        tidier.onStarted(); // of those that were listed
        void keepAlive(deps, ended);
        log.info(`healthctl ${version} watches containerd at ${settings.address}`);
        const end = await untilEnd({ ...deps, monitor, supervisor, server, places, ended });
        log.info(`ends: ${end}`);
        return asked.signal.aborted ? 'asked' : end;
      } finally {
        await Promise.all([server.stop(), grpc.stop()]);
        await supervisor.stop();
        await monitor.stop();
        await networks.stop();
        logKeeper.stop();
        tidier.stop();
        await hooks.stop();
        await hub.close();
        lock.release();
      }
    },
  };
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

interface Running extends DaemonDeps {
  readonly monitor: Monitor;
  readonly supervisor: Supervisor;
  readonly server: ReturnType<typeof createApiServer>;
  readonly places: DaemonPlaces;
  readonly ended: AbortSignal;
}

async function untilEnd({
  clock,
  settings,
  isAutostarted,
  monitor,
  supervisor,
  server,
  places,
  ended,
}: Running): Promise<DaemonEnd> {
  const { idleTimeoutMs } = settings.monitor;
  let idleSinceMs = clock.monotonic();
  while (!ended.aborted) {
    await clock.sleep(isAutostarted ? Math.min(IDLE_LOOK_MS, idleTimeoutMs) : Number.MAX_SAFE_INTEGER, ended);
    const hasWork = () => supervisor.isBusy || isNeeded(monitor);
    if (hasWork() || server.busy > 0 || !monitor.isLive) idleSinceMs = clock.monotonic();
    if (!isAutostarted || ended.aborted || clock.monotonic() - idleSinceMs < idleTimeoutMs) continue;
    // Whoever comes now waits for the start lock, and starts another one.
    const starting = await lockFile(
      { path: places.startLock, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: 0 },
      clock,
    ).catch((error: unknown) => {
      if (hasCode(error, 'TIMEOUT')) return undefined; // somebody is about to need us
      throw error;
    });
    if (!starting) continue;
    await server.stop();
    starting.release();
    if (!hasWork()) return 'idle';
    await server.start();
  }
  return ended.reason === 'reload' ? 'reload' : 'signal';
}

/** A check to be made, a log to be limited, or a container to be removed, or started again, at its end. */
function isNeeded(monitor: Monitor): boolean {
  if (monitor.counts().watched > 0) return true;
  return [...monitor.model.all()].some(
    (container) =>
      container.run !== undefined &&
      (isAutoRemoved(container) || isLogLimited(container) || restartPolicyOf(container.record.labels).name !== 'no'),
  );
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

/** Throws CONFLICT that names the daemon which holds it. */
async function takeLock(places: DaemonPlaces, { clock, log, socketGroupId: groupId }: DaemonDeps): Promise<FileLock> {
  const onFault = (text: string) => log.warn(text);
  if (Buffer.byteLength(places.grpcSocket) > MAX_SOCKET_PATH_BYTES)
    throw new HealthctlError('CONFIG', `${places.grpcSocket} is too long for a socket`, {
      hint: 'a shorter run root is needed: --run-root or run_root',
    });
  makeOwnDirectory(places.dir, { onFault });
  if (groupId !== undefined) openForGroup(places);
  try {
    const lock = await lockFile(
      { path: places.lock, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: 0, onFault },
      clock,
    );
    replaceFile(ownerFileOf(places), `${process.pid}\n`);
    return lock;
  } catch (error) {
    if (!hasCode(error, 'TIMEOUT')) throw error;
    throw new HealthctlError('CONFLICT', `a monitor of this containerd runs already: process ${ownerOf(places)}`, {
      hint: 'see it with "healthctl daemon status", end it with "healthctl daemon stop"',
    });
  }
}

/** The directories above the sockets may be passed by others, and not listed; those of containers stay closed. */
function openForGroup({ dir }: DaemonPlaces): void {
  chmodSync(dirname(dirname(dir)), 0o711);
  chmodSync(dirname(dir), 0o711);
  chmodSync(dir, 0o711);
}
