import type { Attributes, HrTime } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import type { ContainerSeries } from '../../metrics/container-metrics.ts';
import {
  CONTAINER_METRICS,
  type MetricDefinition,
  MONITOR_METRICS,
  type MonitorMetricName,
} from '../../metrics/definitions.ts';
import type { HistogramCounts } from '../../metrics/histogram.ts';
import type { MonitorFigures } from '../../metrics/monitor-figures.ts';
import { type Sample, samplesOf, samplesOfFigure } from '../../metrics/samples.ts';

/** The metrics of some containers. */
export function metricsOfContainers(series: readonly ContainerSeries[], endMs: number): readonly MetricData[] {
  const all = series.map((one) => ({
    one,
    times: timesOf(one.sinceMs, endMs),
    attributes: Object.fromEntries(one.labels),
  }));
  return CONTAINER_METRICS.map((metric) =>
    metricOf(
      metric,
      all.flatMap(({ one, times, attributes }) => pointsOf(samplesOf(metric, one), times, attributes)),
    ),
  ).filter(hasPoints);
}

/** The metrics of the monitor itself. */
export function metricsOfMonitor(
  figures: MonitorFigures,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): readonly MetricData[] {
  const times = timesOf(startMs, endMs);
  return (Object.keys(MONITOR_METRICS) as MonitorMetricName[])
    .map((name) =>
      metricOf(MONITOR_METRICS[name], pointsOf(samplesOfFigure(MONITOR_METRICS[name], figures[name]), times)),
    )
    .filter(hasPoints);
}

type Point = DataPoint<number> | DataPoint<Histogram>;
type Times = Pick<Point, 'startTime' | 'endTime'>;

const hasPoints = ({ dataPoints }: MetricData): boolean => dataPoints.length > 0;

/**
 * The name in OpenTelemetry: without unit and `_total`, which are facts of their own there, and with dots. Prometheus makes the
 * same name of it again.
 */
export function otelNameOf({ name, unit }: MetricDefinition): string {
  const bare = name.replace(/_total$/, '');
  const short = unit && bare.endsWith(`_${unit}`) ? bare.slice(0, -unit.length - 1) : bare;
  return short.replace(/^(healthctl_container|healthctl_monitor|healthctl|process)_/, (words) =>
    words.replaceAll('_', '.'),
  );
}

const UNITS = { seconds: 's', bytes: 'By' } as const;

function metricOf(metric: MetricDefinition, points: readonly Point[]): MetricData {
  const base = {
    descriptor: {
      name: otelNameOf(metric),
      description: metric.help,
      unit: metric.unit ? UNITS[metric.unit] : '',
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const numbers = (): DataPoint<number>[] =>
    points.filter((point): point is DataPoint<number> => typeof point.value === 'number');
  switch (metric.type) {
    case 'gauge':
      return { ...base, dataPointType: DataPointType.GAUGE, dataPoints: numbers() };
    case 'counter':
      return { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: numbers() };
    case 'histogram':
      return {
        ...base,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: points.filter((point): point is DataPoint<Histogram> => typeof point.value !== 'number'),
      };
  }
}

/** OTLP has no infinite values. */
function pointsOf(samples: readonly Sample[], times: Times, common: Attributes = {}): readonly Point[] {
  return samples.flatMap(({ labels, value }): Point[] => {
    const attributes = labels.length === 0 ? common : { ...common, ...Object.fromEntries(labels) };
    if (typeof value !== 'number') return [{ ...times, attributes, value: histogramOf(value) }];
    return Number.isFinite(value) ? [{ ...times, attributes, value }] : [];
  });
}

function histogramOf({ bounds, sum, buckets }: HistogramCounts): Histogram {
  const counts = Array.from(buckets);
  const count = counts.reduce((total, one) => total + one, 0);
  return { buckets: { boundaries: [...bounds], counts }, sum, count };
}

const timesOf = (startMs: number, endMs: number): Times => ({ startTime: hrTimeOf(startMs), endTime: hrTimeOf(endMs) });

/** Seconds and nanoseconds since the epoch. */
function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
