import { version } from '../../lib/build-info.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { ContainerSeries } from '../../metrics/container-metrics.ts';
import type { MonitorFigures } from '../../metrics/monitor-figures.ts';
import type { HookEvent } from '../hooks/hook-event.ts';
import type { Exporters, ExportersDeps } from './exporters.ts';
import type { TelemetrySettings } from './settings.ts';

/**
 * Sends metrics and events to a receiver of OpenTelemetry, if one is configured. A receiver that does not answer is logged
 * once, until it answers again; nothing of the monitor waits for it.
 */
export interface Telemetry {
  /** Sends an event as a log record. */
  log(event: HookEvent): void;
  /** Sends metrics at intervals. */
  start(source: TelemetrySource): void;
  /** Sends what is there once more, for a bounded time. */
  stop(): Promise<void>;
}

/** Where metrics come from. */
export interface TelemetrySource {
  /** Records the present facts of all containers. */
  observe(): Promise<void>;
  readonly series: Iterable<ContainerSeries>;
  figures(): MonitorFigures;
  readonly startedAtMs: number;
}

export interface TelemetryDeps {
  /** Undefined: nothing is sent, and the SDK is not loaded. */
  readonly settings: TelemetrySettings | undefined;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  /** Loads the SDK. */
  readonly open?: (deps: ExportersDeps) => Promise<Exporters>;
}

/** Containers in one request: it is encoded in one go, for some 5 ms. */
const CONTAINERS_PER_EXPORT = 50;
const LAST_EXPORT_MS = 2_000;

export function createTelemetry({ settings, clock, log, open = openSdk }: TelemetryDeps): Telemetry {
  if (!settings) return { log: () => {}, start: () => {}, stop: async () => {} };
  const over = new AbortController();
  const metricsFailure = createFailureLog(log, 'metrics');
  const logsFailure = createFailureLog(log, 'log records');
  let opened: Promise<Exporters> | undefined;
  let running: Promise<void> | undefined;
  let source: TelemetrySource | undefined;
  const exporters = (): Promise<Exporters> => {
    const onLogs: ExportersDeps['onLogs'] = (error) => (error ? logsFailure.failed(error) : logsFailure.succeeded());
    opened ??= open({ settings, version, onLogs });
    return opened;
  };
  const exportMetrics = async (): Promise<void> => {
    if (!settings.metrics || !source) return;
    try {
      await sendMetrics(await exporters(), source, clock);
      metricsFailure.succeeded();
    } catch (error) {
      metricsFailure.failed(error);
    }
  };
  const run = async (intervalMs: number): Promise<void> => {
    for (;;) {
      await clock.sleep(intervalMs, over.signal);
      if (over.signal.aborted) return;
      await exportMetrics();
    }
  };
  return {
    log: (event) => {
      if (settings.logs) void exporters().then((sdk) => sdk.log(event), logsFailure.failed);
    },
    start: (from) => {
      source = from;
      // At once: an upgrade of the package would replace the SDK with another one.
      void exporters().catch(metricsFailure.failed);
      if (settings.metrics) running = run(settings.metrics.intervalMs);
    },
    stop: async () => {
      over.abort();
      const last = async (): Promise<void> => {
        await running;
        await exportMetrics();
        await (await opened)?.stop();
      };
      const late = new AbortController();
      const done = last().catch(logsFailure.failed);
      await Promise.race([done, clock.sleep(LAST_EXPORT_MS, late.signal)]);
      late.abort();
    },
  };
}

async function sendMetrics(sdk: Exporters, source: TelemetrySource, clock: Clock): Promise<void> {
  await source.observe();
  await sdk.sendMonitor(source.figures(), { startMs: source.startedAtMs, endMs: clock.now() });
  const all = [...source.series];
  for (let index = 0; index < all.length; index += CONTAINERS_PER_EXPORT)
    await sdk.sendContainers(all.slice(index, index + CONTAINERS_PER_EXPORT), clock.now());
}

async function openSdk(deps: ExportersDeps): Promise<Exporters> {
  const { openExporters } = await import('./exporters.ts');
  return openExporters(deps);
}

/** Logs the first of several failures in a row, and the success after them. */
function createFailureLog(log: ServiceLogger, what: string) {
  let isFailing = false;
  return {
    failed: (error: unknown): void => {
      log[isFailing ? 'debug' : 'warn'](`OpenTelemetry: ${what} are not sent, retrying: ${messageOf(error)}`);
      isFailing = true;
    },
    succeeded: (): void => {
      if (isFailing) log.info(`OpenTelemetry: ${what} are sent again`);
      isFailing = false;
    },
  };
}
