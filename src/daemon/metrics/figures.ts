import type { Containerd } from '../../containerd/client.ts';
import { commit, version } from '../../lib/build-info.ts';
import { errnoOf } from '../../lib/errors.ts';
import type { HistogramCounts } from '../../metrics/histogram.ts';
import type { MonitorFigures } from '../../metrics/monitor-figures.ts';
import type { Monitor } from '../../monitor/monitor.ts';
import { type Descriptors, readDescriptors } from '../../system/descriptors.ts';
import { residentBytes } from '../../system/memory.ts';
import type { MetricsRecorder } from './recorder.ts';

export interface FiguresDeps {
  readonly monitor: Pick<Monitor, 'counts' | 'isLive' | 'model'>;
  readonly recorder: Pick<MetricsRecorder, 'containers' | 'checkLag' | 'connections'>;
  readonly containerd: Pick<Containerd, 'failures'>;
  readonly eventLoopDelay: HistogramCounts;
  /** Size of the recorded history on the disk; undefined without a history. */
  readonly historyBytes: () => number | undefined;
  readonly startedAtMs: number;
}

/** The present values of the metrics of the monitor itself. */
export function monitorFiguresOf(deps: FiguresDeps): MonitorFigures {
  const { monitor, recorder, containerd, eventLoopDelay, historyBytes, startedAtMs } = deps;
  const { inFlight, waiting, checked, troubled } = monitor.counts();
  const descriptors = descriptorsOrNone();
  const { user, system } = process.cpuUsage();
  return {
    buildInfo: [{ labels: [version, commit, process.version], value: 1 }],
    ...{ inFlight, waiting, checked, troubled, eventLoopDelay },
    containers: monitor.model.size,
    notExported: monitor.model.size - recorder.containers.size,
    checkLag: recorder.checkLag,
    containerdUp: monitor.isLive ? 1 : 0,
    containerdConnections: recorder.connections,
    containerdErrors: [...containerd.failures].map(([code, value]) => ({ labels: [code], value })),
    historyBytes: historyBytes(),
    cpuSeconds: (user + system) / 1e6,
    memoryBytes: residentBytes(),
    openDescriptors: descriptors?.open,
    maxDescriptors: descriptors?.limit,
    startTime: startedAtMs / 1_000,
  };
}

/** None if there is no free descriptor to count them with. */
function descriptorsOrNone(): Descriptors | undefined {
  try {
    return readDescriptors();
  } catch (error) {
    if (errnoOf(error) !== 'EMFILE' && errnoOf(error) !== 'ENFILE') throw error;
    return undefined;
  }
}
