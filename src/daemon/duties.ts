import type { ContainerContext } from '../container/context.ts';
import { networkContextOf } from '../container/network/attach.ts';
import type { Containerd } from '../containerd/client.ts';
import { createNameServers, type NameServers } from '../dns/name-servers.ts';
import { historyDirOf } from '../history/files.ts';
import { openHistoryRecorder } from '../history/open-recorder.ts';
import { type HistoryRecorder, NO_HISTORY } from '../history/recorder.ts';
import type { Clock } from '../lib/clock.ts';
import { keyOf } from '../lib/container-key.ts';
import { LABELS } from '../lib/labels.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import type { Settings } from '../lib/settings.ts';
import { type Adoption, createAdoption } from '../monitor/duties/adoption.ts';
import { createAfterExit } from '../monitor/duties/after-exit.ts';
import { createContainerActions } from '../monitor/duties/container-actions.ts';
import { createForeignStopNotes } from '../monitor/duties/foreign-stop-notes.ts';
import { createNetworkRepair, type NetworkRepair } from '../monitor/duties/network-repair.ts';
import { createOutputIndexer, type OutputIndexer } from '../monitor/duties/output-indexer.ts';
import { createHistoryNotes, type HistoryNotes } from '../monitor/duties/record-history.ts';
import { createSupervisor, type Supervisor } from '../monitor/duties/supervisor.ts';
import type { HostModel } from '../monitor/host-model.ts';
import { subjectOf } from '../monitor/known-container.ts';
import { withLastSignal } from '../monitor/last-call.ts';
import { createLiveSource, type LiveSource } from '../page/live.ts';
import { isNerdctls } from '../store/state-dir.ts';
import type { DescriptorStore } from '../system/descriptor-store.ts';
import { releaseMemory, residentBytes } from '../system/memory.ts';
import { type Alerts, createAlerts } from './alerts/alerts.ts';
import { type EventHub, openEventHub } from './api/event-stream.ts';
import { daemonPathsOf } from './daemon-paths.ts';
import { createHealthChanges, type HealthChanges } from './grpc/health-source.ts';
import { hookEventOf } from './hooks/hook-event.ts';
import { createHooks, type Hooks } from './hooks/hooks.ts';
import { createHookRunner } from './hooks/run-hook.ts';
import { createMemoryReleaser, type MemoryReleaser } from './memory-releaser.ts';
import { createMetricsRecorder, type MetricsRecorder } from './metrics/recorder.ts';
import type { TelemetrySettings } from './otel/settings.ts';
import { createTelemetry, type Telemetry } from './otel/telemetry.ts';

/** What the daemon does for containers besides checking them. None of it begins before the monitor calls it. */
export interface Duties {
  readonly hub: EventHub;
  /** Programs and servers. */
  readonly hooks: Hooks;
  readonly alerts: Pick<Alerts, 'onChange' | 'onLive'>;
  readonly adoption: Adoption;
  readonly afterExit: ReturnType<typeof createAfterExit>;
  readonly outputIndexer: OutputIndexer;
  readonly networkRepair: NetworkRepair;
  readonly nameServers: NameServers;
  readonly clearForeignStopNotes: ReturnType<typeof createForeignStopNotes>;
  readonly supervisor: Supervisor;
  readonly healthChanges: HealthChanges;
  readonly history: HistoryRecorder;
  readonly historyNotes: HistoryNotes;
  readonly memoryReleaser: MemoryReleaser;
  readonly metrics: MetricsRecorder;
  readonly live: LiveSource;
  readonly telemetry: Telemetry;
}

export interface DutiesDeps {
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly settings: Settings;
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly model: HostModel;
  readonly telemetry: TelemetrySettings | undefined;
  readonly descriptors: DescriptorStore;
  /** Fires when the daemon ends and calls that act on containers take too long: they are cancelled. */
  readonly lastSignal: AbortSignal;
}

export function createDuties(deps: DutiesDeps): Duties {
  const { containerd, clock, log, settings, contextOf, model, lastSignal } = deps;
  const actingContextOf = (namespace: string) => withLastSignal(contextOf(namespace), lastSignal);
  const metrics = createMetricsRecorder({ clock, model, settings: settings.monitor.metrics });
  const telemetry = createTelemetry({ settings: deps.telemetry, clock, log });
  const history = openHistory(deps);
  const historyNotes = createHistoryNotes(history, settings.monitor.namespaces);
  const actions = createContainerActions(actingContextOf);
  const alerts = openAlerts(deps);
  const hooks = hooksOf(deps, { alerts, telemetry });
  return {
    hub: openEventHub({
      ...{ clock, log, runRoot: settings.runRoot },
      containerd: containerd.inNamespace(settings.monitor.namespaces[0] ?? settings.namespace),
    }),
    ...{ hooks, alerts },
    adoption: createAdoption({
      ...{ adopt: settings.monitor.adopt, clock, log },
      endTimer: ({ namespace, id }) => contextOf(namespace).endNerdctlTimer(id),
      isNerdctls: ({ namespace, id, record: { labels } }) =>
        isNerdctls(contextOf(namespace).dirs, { namespace, id, labels }),
    }),
    afterExit: createAfterExit({ contextOf: actingContextOf, clock, log }),
    outputIndexer: createOutputIndexer({ contextOf, clock, log }),
    networkRepair: createNetworkRepair({ contextOf, log }),
    nameServers: openNameServers(deps),
    clearForeignStopNotes: createForeignStopNotes({
      ...{ clock, log },
      runOf: (ref) => model.get(keyOf(ref))?.run?.id,
      clear: ({ namespace, id }) =>
        contextOf(namespace).containerd.containers.setLabels(id, { [LABELS.explicitlyStopped]: '' }),
    }),
    supervisor: createSupervisor({
      ...{ get: model.get, clock, log },
      actions: {
        ...actions,
        publish: async (ref, action, reason) => {
          if (action !== 'restart') historyNotes.onAction(ref, action, reason);
          await actions.publish(ref, action, reason);
        },
        onRestarted: (ref, reason) => {
          historyNotes.onAction(ref, 'restart', reason);
          const container = model.get(keyOf(ref));
          if (!container) return;
          metrics.onRestarted(container);
          hooks.enqueue(hookEventOf(container, clock.now(), { event: 'restart', reason }));
        },
      },
    }),
    healthChanges: createHealthChanges(),
    ...{ history, historyNotes },
    memoryReleaser: createMemoryReleaser({ clock, release: releaseMemory, residentBytes }),
    metrics,
    live: createLiveSource(),
    telemetry,
  };
}

function openNameServers({ contextOf, descriptors, settings: { namespace: own, monitor } }: DutiesDeps): NameServers {
  const isMonitored = (namespace: string) => monitor.namespaces.length === 0 || monitor.namespaces.includes(namespace);
  return createNameServers({ ctx: networkContextOf(contextOf(own)), isMonitored, descriptors });
}

function openAlerts({ settings, clock, log, model, contextOf }: DutiesDeps): Alerts {
  return createAlerts({
    ...{ hooks: settings.monitor.hooks, clock, log, path: daemonPathsOf(settings).alertsFile },
    healthOf: async (ref) => {
      const container = model.get(keyOf(ref));
      return container && contextOf(ref.namespace).store.get(subjectOf(container));
    },
  });
}

function openHistory({ clock, log, settings }: DutiesDeps): HistoryRecorder {
  const { isEnabled, ...limits } = settings.history;
  return isEnabled ? openHistoryRecorder({ dir: historyDirOf(settings), limits, clock, log }) : NO_HISTORY;
}

/** All receivers of the events for hooks: programs, servers and OpenTelemetry. */
function hooksOf(
  { settings, clock, log }: DutiesDeps,
  { alerts, telemetry }: { readonly alerts: Alerts; readonly telemetry: Telemetry },
): Hooks {
  const ofPrograms = settings.monitor.hooks.filter((hook) => 'command' in hook);
  const programs = createHooks({ hooks: ofPrograms, run: createHookRunner(clock), clock, log });
  return {
    enqueue: (event) => {
      programs.enqueue(event);
      alerts.enqueue(event);
      telemetry.log(event);
    },
    stop: async () => {
      await Promise.all([programs.stop(), alerts.stop()]);
    },
  };
}
