/** How telemetry is sent, by the standard variables of OpenTelemetry. Endpoint, headers and certificates are read by its SDK. */
export interface TelemetrySettings {
  readonly metrics: { readonly protocol: OtlpProtocol; readonly intervalMs: number } | undefined;
  readonly logs: { readonly protocol: OtlpProtocol; readonly delayMs: number } | undefined;
}

type OtlpProtocol = 'http/protobuf' | 'http/json';

type Environment = Readonly<Record<string, string | undefined>>;
type Signal = 'METRICS' | 'LOGS';

interface TimeVariable {
  readonly name: string;
  readonly defaultMs: number;
  readonly leastMs: number;
}

/** Time between two exports of metrics. */
const INTERVAL: TimeVariable = { name: 'OTEL_METRIC_EXPORT_INTERVAL', defaultMs: 60_000, leastMs: 1_000 };
/** How long a log record waits for others. */
const DELAY: TimeVariable = { name: 'OTEL_BLRP_SCHEDULE_DELAY', defaultMs: 1_000, leastMs: 100 };

/**
 * Undefined unless an endpoint or the exporter `otlp` is named. An empty variable counts as absent.
 *
 * @param warn called for values that cannot be followed
 */
export function telemetrySettingsOf(env: Environment, warn: (text: string) => void): TelemetrySettings | undefined {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined;
  const [metrics, logs] = [protocolOf(env, 'METRICS', warn), protocolOf(env, 'LOGS', warn)];
  if (!metrics && !logs) return undefined;
  return {
    metrics: metrics && { protocol: metrics, intervalMs: timeOf(env, INTERVAL, warn) },
    logs: logs && { protocol: logs, delayMs: timeOf(env, DELAY, warn) },
  };
}

/** Undefined for a signal that is not sent. */
function protocolOf(env: Environment, signal: Signal, warn: (text: string) => void): OtlpProtocol | undefined {
  const exporter = env[`OTEL_${signal}_EXPORTER`];
  const endpoint = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (exporter === 'none' || (!exporter && !endpoint)) return undefined;
  if (exporter && exporter !== 'otlp') {
    warn(`OTEL_${signal}_EXPORTER: ${JSON.stringify(exporter)} is not supported: only "otlp" and "none" are`);
    return undefined;
  }
  const own = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`;
  const name = env[own] ? own : 'OTEL_EXPORTER_OTLP_PROTOCOL';
  const protocol = env[name] || 'http/protobuf';
  if (protocol === 'http/protobuf' || protocol === 'http/json') return protocol;
  warn(`${name}: ${JSON.stringify(protocol)} is not supported: use "http/protobuf" or "http/json"`);
  return undefined;
}

function timeOf(env: Environment, { name, defaultMs, leastMs }: TimeVariable, warn: (text: string) => void): number {
  const text = env[name];
  if (!text) return defaultMs;
  const ms = Number(text);
  if (Number.isInteger(ms) && ms >= leastMs) return ms;
  warn(`${name}: ${JSON.stringify(text)} must be at least ${leastMs} milliseconds`);
  return defaultMs;
}
