import type { ContainerContext } from '../container/context.ts';
import { publishHealthStatus } from '../events/own-events.ts';
import type { Clock } from '../lib/clock.ts';
import { keyOf } from '../lib/container-key.ts';
import { LABELS } from '../lib/labels.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import type { MonitorHooks } from '../monitor/hooks.ts';
import type { HostModel, KnownContainer } from '../monitor/host-model.ts';
import type { Duties } from './duties.ts';
import { hookEventOf } from './hooks/hook-event.ts';
import { logStatus } from './log-status.ts';
import { restoreStateDirs } from './state-dirs.ts';

export interface MonitorHooksDeps {
  readonly duties: Duties;
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly model: HostModel;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly onLive: () => void;
}

/** Which duty is called for what the monitor sees. */
export function monitorHooksOf({ duties, contextOf, model, clock, log, onLive }: MonitorHooksDeps): MonitorHooks {
  const { hub, hooks, adoption, afterExit, outputIndexer, networkRepair, supervisor, healthChanges } = duties;
  const { metrics, nameServers, historyNotes, alerts, live } = duties;
  return {
    onLive: () => {
      onLive();
      metrics.onLive();
      historyNotes.onLive(model.all());
      alerts.onLive(model.get);
      for (const container of [...model.all()]) void networkRepair.attachMissed(container); // started without a monitor
    },
    onResult: (container, recorded) => {
      metrics.onResult(container, recorded);
      historyNotes.onResult(container, recorded);
      live.onResult(keyOf(container), recorded.result.exitCode);
      supervisor.onResult(container, recorded);
    },
    onExit: (container, exit) => {
      nameServers.onExit(container);
      metrics.onExit(container);
      return afterExit.onExit(container, exit);
    },
    onListed: (namespace, records) => {
      hub.applyList(namespace, records);
      restoreStateDirs(contextOf(namespace), records);
      duties.clearForeignStopNotes(namespace, records);
    },
    onEvent: (event) => {
      hub.receive(event);
      metrics.onEvent(event);
      if (event.kind === 'task-started') onStarted(duties, model.get(keyOf(event)));
    },
    onStatus: (container, { status, failingStreak }, { exitCode, output }) => {
      const { namespace, id } = container;
      const { events } = contextOf(namespace).containerd;
      void publishHealthStatus(events, log, { id, status, failingStreak });
      logStatus(log, container, { status, failingStreak, exitCode, output });
      if (status === 'starting') return;
      hooks.enqueue(hookEventOf(container, clock.now(), { event: status, failingStreak, exitCode, output }));
    },
    onChange: (key) => {
      const container = model.get(key);
      healthChanges.notify(namesOf(container, key));
      supervisor.onChange(key);
      outputIndexer.onChange(key, container);
      if (container) historyNotes.onChange(container);
      alerts.onChange(key, container);
      live.onChange(key);
    },
    onGone: async (container) => {
      adoption.forget(container);
      metrics.onGone(container);
      historyNotes.onGone(container);
      live.onGone(keyOf(container));
      healthChanges.notify(namesOf(container, keyOf(container)));
      await afterExit.onGone(container);
    },
  };
}

function onStarted({ memoryReleaser, nameServers, networkRepair }: Duties, started: KnownContainer | undefined): void {
  memoryReleaser.onStarted();
  nameServers.follow();
  if (started) void networkRepair.attachMissed(started);
}

/** The names by which a client may ask for the health of a container. */
function namesOf(container: KnownContainer | undefined, key: string): readonly string[] {
  const name = container?.record.labels[LABELS.name];
  return container && name !== undefined ? [key, `${container.namespace}/${name}`] : [key];
}
