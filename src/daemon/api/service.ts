import type { ContainerContext } from '../../container/context.ts';
import { readHealth } from '../../container/health.ts';
import { runHealthcheck } from '../../container/healthcheck.ts';
import { describeContainer } from '../../container/inspect.ts';
import { removeContainer } from '../../container/remove.ts';
import { namespaceHint, pickRecord, resolveView, viewRecord } from '../../container/resolve.ts';
import { type Result, rfc3339FromMillis } from '../../health/result.ts';
import type { HealthState } from '../../health/state.ts';
import { healthDocumentOf } from '../../health/state-json.ts';
import { commit, version } from '../../lib/build-info.ts';
import type { Clock } from '../../lib/clock.ts';
import { keyOf } from '../../lib/container-key.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { Settings } from '../../lib/settings.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import { knownHealthOf } from '../../monitor/known-container.ts';
import type { Monitor } from '../../monitor/monitor.ts';
import type { ContainerDocument } from '../../record/document.ts';
import { statusWord } from '../../record/shown-health.ts';
import { asRestarting, withNextRestart } from '../../record/view.ts';
import { readDescriptors } from '../../system/descriptors.ts';
import { residentBytes } from '../../system/memory.ts';
import type { CheckAnswer, ContainerSummary, DaemonStatus, DockerApi, HealthAnswer } from './answers.ts';
import { API_VERSION } from './version.ts';

export interface ServiceDeps {
  readonly monitor: Monitor;
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly settings: Settings;
  readonly startedAtMs: number;
  readonly isAutostarted: boolean;
  readonly identity: Pick<DaemonStatus, 'id' | 'program'>;
  /** Whether the supervisor is about to start this container. */
  readonly isRestarting: (key: string) => boolean;
  /** When a container will be restarted, wall time. */
  readonly nextRestartAtMs: (key: string) => number | undefined;
  readonly dockerApi: () => DockerApi | undefined;
}

/**
 * The requests to the monitor, whatever their protocol. Every call throws UNWATCHED for a namespace that is not
 * monitored, UNAVAILABLE while containerd is gone, NOT_FOUND and AMBIGUOUS as the commands do.
 */
export interface Service {
  status(): DaemonStatus;
  list(namespace: string): readonly ContainerSummary[];
  /** Docker's document. */
  inspect(namespace: string, name: string): Promise<ContainerDocument>;
  health(namespace: string, name: string): Promise<HealthAnswer>;
  /** From memory: load balancers ask every second. */
  serving(namespace: string, name: string): { readonly status: 'none' | HealthState['status']; readonly isUp: boolean };
  check(namespace: string, name: string, signal: AbortSignal): Promise<CheckAnswer>;
  remove(
    namespace: string,
    name: string,
    options: { readonly force: boolean; readonly volumes: boolean; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Asks containerd for one container, so that later answers show its present state. */
  refresh(namespace: string, id: string): Promise<void>;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createService(deps: ServiceDeps): Service {
  const { monitor, contextOf, settings, startedAtMs, isAutostarted, identity, isRestarting, nextRestartAtMs } = deps;
  const { clock } = deps;
  const { model } = monitor;
  const { namespaces } = settings.monitor;

  const refuseUnwatched = (namespace: string): void => {
    if (namespaces.length > 0 && !namespaces.includes(namespace))
      throw new HealthctlError('UNWATCHED', `namespace ${namespace} is not monitored`);
    if (!monitor.isLive) throw new HealthctlError('UNAVAILABLE', 'the monitor has lost containerd');
  };
  const inNamespace = (namespace: string): readonly KnownContainer[] =>
    [...model.all()].filter((container) => container.namespace === namespace);
  const tryFind = (namespace: string, name: string): KnownContainer | HealthctlError | undefined => {
    refuseUnwatched(namespace);
    const records = inNamespace(namespace).map(({ record }) => record);
    const found = pickRecord(records, name);
    return found === undefined || found instanceof HealthctlError
      ? found
      : model.get(keyOf({ namespace, id: found.id }));
  };
  /** Wall time. */
  const nextCheckAtMs = (key: string): number | undefined => {
    const atMs = monitor.nextCheckAtMs(key);
    return atMs === undefined ? undefined : clock.now() + atMs - clock.monotonic();
  };
  const find = async (namespace: string, name: string): Promise<KnownContainer> => {
    const found = tryFind(namespace, name);
    if (found instanceof HealthctlError) throw found;
    if (found) return found;
    const hint = await namespaceHint(contextOf(namespace).containerd, {});
    throw new HealthctlError('NOT_FOUND', `No such container: ${name}`, hint);
  };

  return {
    status: () => ({
      ...{
        ...identity,
        version,
        commit,
        apiVersion: API_VERSION,
        pid: process.pid,
        isAutostarted,
        address: settings.address,
        namespaces,
      },
      startedAt: new Date(startedAtMs).toISOString(),
      isLive: monitor.isLive,
      containers: model.size,
      ...countsOf(monitor),
      lag: monitor.lags.summary() ?? null,
      memoryBytes: residentBytes() ?? 0,
      descriptors: readDescriptors(),
      ...dockerApiOf(deps),
    }),
    list: (namespace) => {
      refuseUnwatched(namespace);
      return inNamespace(namespace).map((container) => {
        const key = keyOf(container);
        const times = { nextRestartAtMs: nextRestartAtMs(key), nextCheckAtMs: nextCheckAtMs(key) };
        return summaryOf(container, { isRestarting: isRestarting(key), ...times });
      });
    },
    inspect: async (namespace, name) => {
      const { id } = await find(namespace, name);
      const ctx = contextOf(namespace);
      const found = await viewRecord(ctx, await ctx.containerd.containers.get(id));
      const key = keyOf({ namespace, id });
      const view = withNextRestart(isRestarting(key) ? asRestarting(found) : found, nextRestartAtMs(key));
      return describeContainer(ctx, { view, health: await readHealth(ctx, view) }, { size: false });
    },
    health: async (namespace, name) => {
      const { id } = await find(namespace, name);
      const ctx = contextOf(namespace);
      const health = await readHealth(ctx, await viewRecord(ctx, await ctx.containerd.containers.get(id)));
      const { state, log } = health;
      return healthDocumentOf({ status: statusWord(health), failingStreak: state?.failingStreak ?? 0, log });
    },
    serving: (namespace, name) => {
      const found = tryFind(namespace, name);
      if (found instanceof HealthctlError) throw found;
      if (!found) throw new HealthctlError('NOT_FOUND', `No such container: ${name}`);
      return { status: knownHealthOf(found)?.status ?? 'none', isUp: found.run !== undefined };
    },
    check: async (namespace, name, signal) => {
      const container = await find(namespace, name);
      if (container.config && container.run) return monitor.checkNow(container, signal);
      // Gives all the reasons why there is nothing to check, with the command's texts.
      return runHealthcheck(contextOf(namespace), container.id, signal);
    },
    remove: async (namespace, name, { force, volumes, signal }) => {
      const { id } = await find(namespace, name);
      const ctx = contextOf(namespace);
      const view = await resolveView(ctx, id, { signal });
      const isUp = view.state === 'running' || view.state === 'paused';
      if (!isUp || force) await monitor.release({ namespace, id });
      if (signal.aborted) throw new HealthctlError('ABORTED', 'the client that asked for the removal has disconnected');
      await removeContainer(ctx, view, { force, volumes, abort: signal });
      await monitor.refresh({ namespace, id });
    },
    refresh: async (namespace, id) => {
      refuseUnwatched(namespace);
      await monitor.refresh({ namespace, id });
    },
  };
}

function dockerApiOf(deps: ServiceDeps): Pick<DaemonStatus, 'dockerApi'> {
  const dockerApi = deps.dockerApi();
  return dockerApi ? { dockerApi } : {};
}

function countsOf(
  monitor: Monitor,
): Pick<DaemonStatus, 'watched' | 'unhealthy' | 'troubled' | 'checksInFlight' | 'checksWaiting' | 'checksMade'> {
  const { inFlight, waiting, checked, troubled } = monitor.counts();
  const unhealthy = [...monitor.model.all()].filter(
    (container) => container.run !== undefined && knownHealthOf(container)?.status === 'unhealthy',
  ).length;
  return {
    watched: checked,
    unhealthy,
    troubled,
    checksInFlight: inFlight,
    checksWaiting: waiting,
    checksMade: monitor.lags.total,
  };
}

const withoutOutput = ({ output: _output, ...rest }: Result): Omit<Result, 'output'> => rest;

function summaryOf(
  container: KnownContainer,
  {
    isRestarting,
    nextRestartAtMs,
    nextCheckAtMs,
  }: {
    readonly isRestarting: boolean;
    readonly nextRestartAtMs: number | undefined;
    readonly nextCheckAtMs: number | undefined;
  },
): ContainerSummary {
  const { record, task, run, stored, isShimSilent = false } = container;
  const last = stored.log.at(-1);
  return {
    record,
    task: task
      ? {
          ...{ pid: task.pid, status: task.status, exitStatus: task.exitStatus },
          ...(task.exitedAtMs === undefined ? {} : { exitedAtMs: task.exitedAtMs }),
        }
      : null,
    run: run ?? null,
    health: knownHealthOf(container) ?? null,
    lastCheck: last ? withoutOutput(last) : null,
    nextCheckAt: nextCheckAtMs === undefined ? null : rfc3339FromMillis(nextCheckAtMs),
    isRestarting,
    nextRestart: nextRestartAtMs === undefined ? null : rfc3339FromMillis(nextRestartAtMs),
    isStateUnknown: isShimSilent,
  };
}
