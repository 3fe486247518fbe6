import { expect, test } from 'vitest';
import { telemetrySettingsOf } from './settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const BOTH = {
  metrics: { protocol: 'http/protobuf', intervalMs: 60_000 },
  logs: { protocol: 'http/protobuf', delayMs: 1_000 },
};

test.each([
  [{}, undefined],
  [{ OTEL_SERVICE_NAME: 'x' }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
  [ENDPOINT, BOTH],
  [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }, undefined],
  [
    { ...ENDPOINT, OTEL_LOGS_EXPORTER: 'none' },
    { ...BOTH, logs: undefined },
  ],
  [{ OTEL_METRICS_EXPORTER: 'otlp' }, { ...BOTH, logs: undefined }],
  [{ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://x/v1/logs' }, { ...BOTH, metrics: undefined }],
  [
    {
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/json',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_BLRP_SCHEDULE_DELAY: '200',
    },
    { metrics: { protocol: 'http/protobuf', intervalMs: 5_000 }, logs: { protocol: 'http/json', delayMs: 200 } },
  ],
])('%o', (env, settings) => {
  expect(telemetrySettingsOf(env, (text) => expect.fail(text))).toEqual(settings);
});

test.each([
  [{ OTEL_METRICS_EXPORTER: 'prometheus' }, undefined, 'OTEL_METRICS_EXPORTER: "prometheus" is not supported'],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, undefined, '"grpc" is not supported: use "http/protobuf"'],
  [{ ...ENDPOINT, OTEL_METRIC_EXPORT_INTERVAL: '2000.5' }, BOTH, '"2000.5" must be at least 1000 milliseconds'],
  [
    { ...ENDPOINT, OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'grpc' },
    { ...BOTH, logs: undefined },
    'OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "grpc" is not supported',
  ],
  [{ ...ENDPOINT, OTEL_METRIC_EXPORT_INTERVAL: '10' }, BOTH, '"10" must be at least 1000 milliseconds'],
])('%o gives a warning', (env, settings, warning) => {
  const warnings: string[] = [];
  expect(telemetrySettingsOf(env, (text) => warnings.push(text))).toEqual(settings);
  expect(warnings[0]).toContain(warning);
});
