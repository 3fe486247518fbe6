import { type ContainerContext, createContainerContext } from '../container/context.ts';
import type { Containerd } from '../containerd/client.ts';
import { historyDirOf } from '../history/files.ts';
import { sweepLeases } from '../image/lease.ts';
import { version } from '../lib/build-info.ts';
import type { Clock } from '../lib/clock.ts';
import { counted } from '../lib/counted.ts';
import { messageOf } from '../lib/errors.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import type { Settings } from '../lib/settings.ts';
import { maxInFlightOf } from '../monitor/budgets.ts';
import { createHostModel, type HostModel } from '../monitor/host-model.ts';
import { LAST_CALL_MS } from '../monitor/last-call.ts';
import { createMonitor, type Monitor } from '../monitor/monitor.ts';
import { type ContainerProber, createContainerProber } from '../probe/container-prober.ts';
import type { StartGate } from '../probe/prober.ts';
import { momentOf } from '../record/view.ts';
import type { DescriptorStore } from '../system/descriptor-store.ts';
import { readDescriptorLimit, readDescriptors } from '../system/descriptors.ts';
import type { Notifier } from '../system/sd-notify.ts';
import { type ApiServer, createApiServer } from './api/server.ts';
import { createService, type ServiceDeps } from './api/service.ts';
import { connectionBudget } from './connection-gate.ts';
import { type DaemonPaths, daemonPathsOf } from './daemon-paths.ts';
import { withDescriptorReserve } from './descriptor-reserve.ts';
import { createDuties, type Duties } from './duties.ts';
import { createEngineStarter, type EngineStarter } from './engine/engine-starter.ts';
import { openGrpcHealthServer } from './grpc/grpc-health.ts';
import { createHealthSource } from './grpc/health-source.ts';
import { untilIdle } from './idle.ts';
import { createHistorySize } from './metrics/history-size.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { claimMonitor, type MonitorClaim } from './monitor-claim.ts';
import { monitorHooksOf } from './monitor-hooks.ts';
import type { TelemetrySettings } from './otel/settings.ts';
import { createPageStarter, type PageStarter } from './page/page-starter.ts';
import { lockRunRoot } from './run-root-lock.ts';

export interface DaemonDeps {
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly settings: Settings;
  /** Ends itself when it has no work, and may be replaced by a newer command. */
  readonly isAutostarted: boolean;
  /** Number of the group that may use the sockets. */
  readonly socketGroupId: number | undefined;
  readonly notifier: Notifier;
  /** Of the process, like the next. */
  readonly descriptors: DescriptorStore;
  /** Of the process, in which several daemons may follow each other. */
  readonly identity: ServiceDeps['identity'];
  /** Where to send metrics and events besides; undefined: nowhere. */
  readonly telemetry: TelemetrySettings | undefined;
  /** Where programs such as runc are searched for. */
  readonly path: string;
  /**
   * Called once the locks are held, before anything is monitored: for work that a second daemon, which ends at the
   * locks, must not do.
   */
  readonly onLocked: () => Promise<void>;
}

/** Why a daemon ended. */
type DaemonEnd = 'asked' | 'idle' | 'signal' | 'reload';

/**
 * The process around the monitor. Start order: lock, monitor, API; the stop reverses it, so that a client of the API
 * finds a working monitor, and a second daemon starts only after the first has released everything.
 *
 * INVARIANTS
 * 1. One daemon per containerd, whatever its run root: guaranteed by its locks, which are released when its process
 *    dies.
 * 2. After `run` has returned, nothing of it is left: no exec, no FIFO, no socket, no timer.
 */
export interface Daemon {
  /**
   * Runs until the signal fires (its reason may be `reload`), a client asks it to end, or, autostarted, it has no work.
   * Throws CONFLICT if another one runs.
   */
  run(signal: AbortSignal): Promise<DaemonEnd>;
}

export function createDaemon(deps: DaemonDeps): Daemon {
  const startedAtMs = deps.clock.now();
  return {
    run: async (signal) => {
      const paths = daemonPathsOf(deps.settings);
      const locks = await takeLocks(deps, paths);
      try {
        const ending = createEnding(signal);
        const parts = createParts(deps, { paths, startedAtMs, locks, ending });
        try {
          await start(deps, parts, ending);
          await untilEnd(deps, parts, { paths, ending });
          const end = ending.reason();
          deps.log.info(`ends: ${end}`);
          return end;
        } finally {
          await stop(deps, parts);
        }
      } finally {
        await locks.release();
      }
    },
  };
}

/** What ends the daemon. */
interface Ending {
  /** Fires with the signal of `run`, when a client asks for the end, and when another monitor takes over. */
  readonly ended: AbortSignal;
  ask(): void;
  /** Another monitor has claimed the containerd that came back. */
  supersede(error: unknown): void;
  /** Throws what `supersede` was called with. */
  reason(): DaemonEnd;
}

function createEnding(signal: AbortSignal): Ending {
  const asked = new AbortController();
  const ended = AbortSignal.any([signal, asked.signal]);
  let superseded: unknown;
  return {
    ended,
    ask: () => asked.abort(),
    supersede: (error) => {
      superseded = error;
      asked.abort();
    },
    reason: () => {
      if (superseded !== undefined) throw superseded;
      return endOf(ended, asked.signal);
    },
  };
}

interface Parts {
  readonly model: HostModel;
  readonly duties: Duties;
  readonly monitor: Monitor;
  readonly grpc: ReturnType<typeof openGrpcHealthServer>;
  readonly server: ApiServer;
  readonly metrics: Metrics;
  readonly page: PageStarter;
  readonly engine: EngineStarter;
  /** Fires when calls that act on containers have taken too long at the end. */
  readonly lastSignal: AbortController;
}

interface PartsDeps {
  readonly paths: DaemonPaths;
  readonly startedAtMs: number;
  readonly locks: Pick<MonitorClaim, 'follow'>;
  readonly ending: Pick<Ending, 'ask' | 'supersede'>;
}

/** Makes the parts, each from those above it. None has begun. */
function createParts(deps: DaemonDeps, { paths, startedAtMs, locks, ending }: PartsDeps): Parts {
  const { containerd, clock, log, settings, isAutostarted, identity, telemetry } = deps;
  const lastSignal = new AbortController();
  const contextOf = contextsOf(deps);
  const model = createHostModel(() => momentOf(clock));
  const duties = createDuties({
    ...{ containerd, clock, log, settings, contextOf, model, telemetry, descriptors: deps.descriptors },
    lastSignal: lastSignal.signal,
  });
  const onLive = (): void => void locks.follow().catch(ending.supersede);
  const monitor = createMonitor({
    ...{ containerd, contextOf, clock, log, model },
    namespaces: settings.monitor.namespaces,
    budgets: {
      ...{ maxStarts: settings.monitor.maxChecks, exec: settings.monitor.exec },
      maxInFlight: maxInFlightOf(readDescriptorLimit()),
    },
    momentOf: () => momentOf(clock),
    isCheckedElsewhere: duties.adoption.isCheckedElsewhere,
    proberOf: (context, starts) => proberOf(deps, context, starts),
    hooks: monitorHooksOf({ duties, contextOf, model, clock, log, onLive }),
  });
  const { isRestarting, nextRestartAtMs } = duties.supervisor;
  const service = createService({
    ...{ monitor, contextOf, clock, settings, startedAtMs, isAutostarted, identity, isRestarting, nextRestartAtMs },
    dockerApi: () => engine.serving,
  });
  const metrics = createMetrics({
    ...{ clock, log, containerd, monitor, startedAtMs },
    ...{ recorder: duties.metrics, telemetry: duties.telemetry, settings: settings.monitor.metrics },
    historyBytes: historyBytesOf(deps),
  });
  const source = createHealthSource(service, duties.healthChanges);
  const budget = connectionBudget(readDescriptors());
  const shared = { groupId: deps.socketGroupId, clock, log };
  const grpc = openGrpcHealthServer({ ...shared, path: paths.grpcSocket, maxConnections: budget.grpc, source });
  const server = createApiServer({
    ...{ ...shared, path: paths.apiSocket, maxConnections: budget.api, service },
    ...{ streams: duties.hub, metrics: metrics.answerer, onStop: ending.ask },
    flushHistory: duties.history.flush,
  });
  const page = createPageStarter({
    ...{ clock, log, settings, groupId: deps.socketGroupId, contextOf, model, live: duties.live, isRestarting },
    ...{ status: service.status, flushHistory: duties.history.flush },
  });
  const engine = createEngineStarter({
    ...{ ...shared, settings, path: deps.path, contextOf, hub: duties.hub, service, monitor },
    restarts: { isRestarting, nextRestartAtMs },
  });
  return { model, duties, monitor, grpc, server, metrics, page, engine, lastSignal };
}

function historyBytesOf({ settings, clock }: DaemonDeps): () => number | undefined {
  if (!settings.history.isEnabled) return () => undefined;
  return createHistorySize(historyDirOf(settings), clock);
}

function proberOf({ clock, log, settings }: DaemonDeps, context: ContainerContext, starts: StartGate): ContainerProber {
  const { tasks } = context.containerd;
  const { exec } = settings.monitor;
  const prober = createContainerProber({ tasks, clock, log, starts, exec, mayReside: true });
  return withDescriptorReserve(prober, { clock, read: readDescriptors });
}

async function start(deps: DaemonDeps, parts: Parts, { ended }: Ending): Promise<void> {
  const { clock, log, settings, notifier } = deps;
  const { model, duties, monitor, server, grpc, metrics, page, engine } = parts;
  await deps.onLocked();
  await duties.networkRepair.sweep(settings.namespace);
  duties.nameServers.follow();
  await duties.history.start();
  await Promise.race([monitor.start(), clock.sleep(Number.MAX_SAFE_INTEGER, ended)]);
  if (!ended.aborted && monitor.isLive) await duties.hub.recordMissed(model.all());
  if (!ended.aborted) await Promise.all([server.start(), grpc.start()]);
  if (!ended.aborted) {
    metrics.start();
    page.start();
    engine.start();
  }
  notifier.ready();
  duties.memoryReleaser.onReady();
  void sweepAbandonedLeases(deps, [...model.all()]);
  void keepAlive(deps, ended);
  log.info(`healthctl ${version} monitors containerd at ${settings.address}`);
}

async function untilEnd(
  { clock, settings, isAutostarted }: DaemonDeps,
  { monitor, server, duties: { supervisor } }: Parts,
  { paths, ending: { ended } }: { readonly paths: DaemonPaths; readonly ending: Ending },
): Promise<void> {
  const { idleTimeoutMs, dockerSocket, dockerTcp } = settings.monitor;
  // Clients of Docker's API expect it to be there.
  await (isAutostarted && dockerSocket === undefined && dockerTcp === undefined
    ? untilIdle({ clock, monitor, supervisor, server, paths, idleTimeoutMs }, ended)
    : clock.sleep(Number.MAX_SAFE_INTEGER, ended));
}

/** Stops the parts that accept requests or act first, then the parts that they use. */
async function stop(
  { clock }: DaemonDeps,
  { duties, monitor, grpc, server, metrics, page, engine, lastSignal }: Parts,
): Promise<void> {
  await Promise.all([server.stop(), grpc.stop(), metrics.stop(), page.stop(), engine.stop()]);
  const late = clock.after(LAST_CALL_MS, () => lastSignal.abort());
  await duties.supervisor.stop();
  await monitor.stop();
  await duties.history.stop();
  late.cancel();
  await duties.networkRepair.stop();
  duties.nameServers.stop();
  duties.outputIndexer.stop();
  duties.memoryReleaser.stop();
  await duties.hooks.stop();
  await duties.hub.close();
}

function endOf(ended: AbortSignal, asked: AbortSignal): DaemonEnd {
  if (!ended.aborted) return 'idle';
  if (asked.aborted) return 'asked';
  return ended.reason === 'reload' ? 'reload' : 'signal';
}

/** Leases of killed commands, in the namespaces that have containers. */
async function sweepAbandonedLeases(
  { containerd, settings, log }: DaemonDeps,
  containers: readonly { readonly namespace: string }[],
): Promise<void> {
  for (const namespace of new Set([settings.namespace, ...containers.map((one) => one.namespace)])) {
    try {
      const count = await sweepLeases(containerd.inNamespace(namespace));
      if (count > 0)
        log.info(`dropped ${counted(count, 'lease')} of commands that were killed in namespace ${namespace}`);
    } catch (error) {
      log.debug(`leases of namespace ${namespace} were not swept: ${messageOf(error)}`);
    }
  }
}

/** The lock of the run root, and the claim on containerd. Throws CONFLICT with the monitor that holds one of them. */
async function takeLocks(
  { clock, log, settings, socketGroupId: groupId }: DaemonDeps,
  paths: DaemonPaths,
): Promise<MonitorClaim> {
  const lock = await lockRunRoot(paths, { clock, log, groupId });
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

/** As often as systemd's watchdog requires. */
async function keepAlive({ clock, notifier }: DaemonDeps, ended: AbortSignal): Promise<void> {
  const { watchdogIntervalMs } = notifier;
  while (watchdogIntervalMs !== undefined && !ended.aborted) {
    notifier.watchdog();
    await clock.sleep(watchdogIntervalMs, ended);
  }
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
