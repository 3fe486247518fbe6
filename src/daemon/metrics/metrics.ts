import type { Clock } from '../../lib/clock.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { ListenAddress, MetricsSettings } from '../../lib/settings.ts';
import type { MonitorFigures } from '../../metrics/monitor-figures.ts';
import type { HttpListener } from '../listener/http-listener.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { createMetricsAnswerer, type MetricsAnswerer } from './answer.ts';
import { createDelayMeter } from './delay-meter.ts';
import { type FiguresDeps, monitorFiguresOf } from './figures.ts';
import { createMetricsPage, observeAll } from './page.ts';
import type { MetricsRecorder } from './recorder.ts';

/** The metrics of a monitor, for clients of its API socket and on TCP. */
export interface Metrics {
  readonly answerer: MetricsAnswerer;
  start(): void;
  stop(): Promise<void>;
}

export interface MetricsDeps extends Omit<FiguresDeps, 'eventLoopDelay'> {
  readonly recorder: MetricsRecorder;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly settings: MetricsSettings;
  readonly telemetry: Pick<Telemetry, 'start' | 'stop'>;
}

export function createMetrics(deps: MetricsDeps): Metrics {
  const { clock, log, recorder, monitor, settings, telemetry } = deps;
  const delays = createDelayMeter(clock);
  const figures = (): MonitorFigures => {
    delays.start();
    return monitorFiguresOf({ ...deps, eventLoopDelay: delays.counts });
  };
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const observing = { clock, recorder, model: monitor.model, pause };
  const page = createMetricsPage({ ...observing, figures });
  const answerer = createMetricsAnswerer(page, clock);
  const { listen } = settings;
  let server: Promise<HttpListener> | undefined;
  /** Loaded only where it is configured: TLS takes a megabyte. */
  const open = async (at: ListenAddress): Promise<HttpListener> => {
    const { createMetricsServer } = await import('./server.ts');
    const made = createMetricsServer({ ...{ answerer, clock, log }, settings: { ...settings, listen: at } });
    await made.start();
    return made;
  };
  return {
    answerer,
    start: () => {
      server = listen && open(listen);
      const observe = () => observeAll(observing);
      telemetry.start({ observe, figures, series: recorder.containers.series, startedAtMs: deps.startedAtMs });
    },
    stop: async () => {
      await Promise.all([(await server)?.stop(), telemetry.stop()]);
      delays.stop();
      page.stop();
    },
  };
}
