import { SeverityNumber } from '@opentelemetry/api-logs';
import { type ExportResult, ExportResultCode, setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { MetricData, PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { ContainerSeries } from '../../metrics/container-metrics.ts';
import type { MonitorFigures } from '../../metrics/monitor-figures.ts';
import type { HookEvent } from '../hooks/hook-event.ts';
import { metricsOfContainers, metricsOfMonitor } from './metric-data.ts';
import type { TelemetrySettings } from './settings.ts';

// The only file that loads OpenTelemetry's SDK: scripts/build.mjs makes a bundle of its own of it, read only where telemetry is configured.

/** Sends telemetry by OTLP over HTTP. Each export throws if the receiver does not take it. */
export interface Exporters {
  sendContainers(series: readonly ContainerSeries[], endMs: number): Promise<void>;
  sendMonitor(figures: MonitorFigures, times: { readonly startMs: number; readonly endMs: number }): Promise<void>;
  /** Queues a log record. The queue is bounded; what does not fit is dropped. */
  log(event: HookEvent): void;
  /** Sends what is queued, and ends. */
  stop(): Promise<void>;
}

export interface ExportersDeps {
  readonly settings: TelemetrySettings;
  readonly version: string;
  /** Log records were sent, or not: then with the reason. */
  readonly onLogs: (error: Error | undefined) => void;
}

export function openExporters({ settings, version, onLogs }: ExportersDeps): Exporters {
  const scope = { name: 'healthctl', version };
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'healthctl', 'service.version': version }))
    .merge(detectResources({ detectors: [envDetector] }));
  setGlobalErrorHandler(() => {}); // the result of each export reports its failure
  const metrics = metricExporterOf(settings);
  const provider = logProviderOf(settings, { resource, onLogs });
  const logger = provider?.getLogger(scope.name, scope.version);
  const send = async (data: readonly MetricData[]): Promise<void> => {
    if (!metrics || data.length === 0) return;
    const result = await new Promise<ExportResult>((resolve) =>
      metrics.export({ resource, scopeMetrics: [{ scope, metrics: [...data] }] }, resolve),
    );
    if (result.code !== ExportResultCode.SUCCESS) throw result.error ?? new Error('the receiver refused it');
  };
  return {
    sendContainers: (series, endMs) => send(metricsOfContainers(series, endMs)),
    sendMonitor: (figures, times) => send(metricsOfMonitor(figures, times)),
    log: (event) => logger?.emit(recordOf(event)),
    stop: async () => {
      await Promise.all([metrics?.shutdown(), provider?.shutdown()]);
    },
  };
}

function metricExporterOf({ metrics }: TelemetrySettings): PushMetricExporter | undefined {
  if (!metrics) return undefined;
  return metrics.protocol === 'http/json' ? new JsonMetricExporter() : new ProtobufMetricExporter();
}

function logProviderOf(
  { logs }: TelemetrySettings,
  { resource, onLogs }: { readonly resource: Resource; readonly onLogs: ExportersDeps['onLogs'] },
): LoggerProvider | undefined {
  if (!logs) return undefined;
  const inner: LogRecordExporter = logs.protocol === 'http/json' ? new JsonLogExporter() : new ProtobufLogExporter();
  const exporter: LogRecordExporter = {
    export: (records, done) =>
      inner.export(records, (result) => {
        const { code, error = new Error('the receiver refused them') } = result;
        onLogs(code === ExportResultCode.SUCCESS ? undefined : error);
        done(result);
      }),
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
  return new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter, scheduledDelayMillis: logs.delayMs })],
  });
}

/** Attributes follow the semantic conventions for containers where they have one. */
function recordOf({ event, time, namespace, id, name, image, reason, failingStreak, exitCode, output }: HookEvent) {
  const isBad = event === 'unhealthy';
  return {
    eventName: `healthctl.container.${event}`,
    timestamp: Date.parse(time),
    severityNumber: isBad ? SeverityNumber.ERROR : event === 'restart' ? SeverityNumber.WARN : SeverityNumber.INFO,
    severityText: isBad ? 'ERROR' : event === 'restart' ? 'WARN' : 'INFO',
    body: event === 'restart' ? `${name} was restarted: ${reason ?? ''}` : `${name} is ${event}`,
    attributes: {
      'container.id': id,
      'container.name': name,
      'container.image.name': image,
      'healthctl.namespace': namespace,
      ...(reason === undefined ? {} : { 'healthctl.reason': reason }),
      ...(failingStreak === undefined ? {} : { 'healthctl.failing_streak': failingStreak }),
      ...(exitCode === undefined ? {} : { 'healthctl.exit_code': exitCode }),
      ...(output === undefined ? {} : { 'healthctl.output': output }),
    },
  };
}
