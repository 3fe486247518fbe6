import { createHistogram, DELAY_BOUNDS, LAG_BOUNDS } from '../../src/metrics/histogram.ts';
import type { MonitorFigures } from '../../src/metrics/monitor-figures.ts';

/** Figures of a monitor with two containers. */
export const someFigures = (over: Partial<MonitorFigures> = {}): MonitorFigures => ({
  buildInfo: [{ labels: ['1.2.3', 'abcdef0', 'v20.0.0'], value: 1 }],
  ...{ containers: 2, checked: 1, troubled: 0, notExported: 0, inFlight: 1, waiting: 0 },
  checkLag: createHistogram(LAG_BOUNDS),
  eventLoopDelay: createHistogram(DELAY_BOUNDS),
  ...{ containerdUp: 1, containerdConnections: 1 },
  containerdErrors: [{ labels: ['UNAVAILABLE'], value: 3 }],
  ...{ historyBytes: undefined, cpuSeconds: 1.5, memoryBytes: 70_000_000, startTime: 1_767_225_600 },
  ...{ openDescriptors: 20, maxDescriptors: Number.POSITIVE_INFINITY },
  ...over,
});
