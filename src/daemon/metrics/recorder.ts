import type { ContainerdEvent } from '../../containerd/events.ts';
import { resultKindOf } from '../../health/result.ts';
import type { Clock } from '../../lib/clock.ts';
import { keyOf } from '../../lib/container-key.ts';
import type { MetricsSettings } from '../../lib/settings.ts';
import {
  type ContainerMetrics,
  createContainerMetrics,
  type MeasuredContainer,
} from '../../metrics/container-metrics.ts';
import { createHistogram, type HistogramCounts, LAG_BOUNDS } from '../../metrics/histogram.ts';
import type { MonitorHooks } from '../../monitor/hooks.ts';
import type { HostModel, KnownContainer } from '../../monitor/host-model.ts';
import { knownHealthOf } from '../../monitor/known-container.ts';
import { containerNameOf } from '../../record/container-name.ts';

/** Counts what the monitor reports, for metrics. Nothing here waits or fails. */
export interface MetricsRecorder {
  readonly onResult: MonitorHooks['onResult'];
  /** Each event, after the monitor has applied it. */
  onEvent(event: ContainerdEvent): void;
  onExit(container: KnownContainer): void;
  onGone(container: KnownContainer): void;
  onRestarted(container: KnownContainer): void;
  /** containerd answers, for the first time or again. */
  onLive(): void;
  /** Records the present facts of a container. */
  observe(container: KnownContainer): void;
  readonly containers: Pick<ContainerMetrics, 'series' | 'size'>;
  readonly checkLag: HistogramCounts;
  /** How often `onLive` was called. */
  readonly connections: number;
}

export interface MetricsRecorderDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly model: Pick<HostModel, 'get'>;
  readonly settings: Pick<MetricsSettings, 'maxContainers' | 'containerLabels'>;
}

export function createMetricsRecorder({ clock, model, settings }: MetricsRecorderDeps): MetricsRecorder {
  const containers = createContainerMetrics(settings, {
    now: clock.now,
    exists: (key) => model.get(key) !== undefined,
  });
  const checkLag = createHistogram(LAG_BOUNDS);
  let connections = 0;

  const observe = (container: KnownContainer): void => {
    const health = knownHealthOf(container);
    const { config, run } = container;
    containers.observe(measured(container), {
      status: health?.status ?? 'none',
      failingStreak: health?.failingStreak ?? 0,
      isRunning: run !== undefined,
      check: config && { intervalSeconds: config.intervalNs / 1e9, timeoutSeconds: config.timeoutNs / 1e9 },
      startedAtMs: run?.startedAtMs,
    });
  };
  return {
    containers,
    checkLag,
    observe,
    get connections() {
      return connections;
    },
    onLive: () => {
      connections += 1;
    },
    onResult: (container, { state, result, lagMs }) => {
      if (lagMs !== undefined) checkLag.add(Math.max(0, lagMs) / 1_000);
      const endMs = Date.parse(result.end);
      const [outcome, durationMs] = [resultKindOf(result), endMs - Date.parse(result.start)];
      containers.addResult(measured(container), { outcome, durationMs, endMs, lagMs, status: state.status });
    },
    onEvent: (event) => {
      if (event.kind === 'container-deleted') return containers.forget(event);
      if (event.kind !== 'task-started' && event.kind !== 'task-oom') return;
      const container = model.get(keyOf(event));
      if (!container) return;
      observe(container);
      if (event.kind === 'task-oom') containers.addOomKill(measured(container));
    },
    onExit: observe,
    // One with the same key may already be there.
    onGone: (container) => {
      if (!model.get(keyOf(container))) containers.forget(container);
    },
    onRestarted: (container) => containers.addRestart(measured(container)),
  };
}

const measured = ({ namespace, id, record }: KnownContainer): MeasuredContainer => ({
  ...{ namespace, id, image: record.image, labels: record.labels },
  name: containerNameOf(record),
});
