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
  COLUMNS,
  CONTAINER_METRICS,
  type ContainerMetric,
  type MetricDefinition,
  MONITOR_METRICS,
  type MonitorMetric,
  type MonitorMetricName,
} from '../../metrics/definitions.ts';
import type { HistogramCounts } from '../../metrics/histogram.ts';
import type { AnyFigure, MonitorFigures } from '../../metrics/monitor-figures.ts';

/** The metrics of some containers. */
export function metricsOfContainers(series: readonly ContainerSeries[], endMs: number): readonly MetricData[] {
  return CONTAINER_METRICS.map((metric) =>
    metricOf(
      metric,
      series.flatMap((one) => pointsOf(metric, one, endMs)),
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
    .map((name) => metricOf(MONITOR_METRICS[name], figurePointsOf(MONITOR_METRICS[name], figures[name], times)))
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

function pointsOf(metric: ContainerMetric, series: ContainerSeries, endMs: number): readonly Point[] {
  const { columns, info, sinceMs } = series;
  if (metric.needsCheck && Number.isNaN(columns[COLUMNS.interval])) return [];
  const times = timesOf(sinceMs, endMs);
  const attributes: Attributes = Object.fromEntries(series.labels);
  const at = (column: number): number => columns[column] ?? Number.NaN;
  const point = (value: number, more: Attributes = {}): readonly Point[] =>
    Number.isNaN(value) ? [] : [{ ...times, value, attributes: { ...attributes, ...more } }];
  switch (metric.kind) {
    case 'info':
      return point(1, { id: info.id, image: info.image });
    case 'value':
      return point(at(metric.column));
    case 'state':
      return metric.words.flatMap((word, index) =>
        point(at(metric.column) === index ? 1 : 0, { [metric.label]: word }),
      );
    case 'values':
      return metric.words.flatMap((word, index) => point(at(metric.column + index), { [metric.label]: word }));
    case 'histogram': {
      const buckets = columns.subarray(metric.column + 1, metric.column + 2 + metric.bounds.length);
      const value = histogramOf({ bounds: metric.bounds, sum: at(metric.column), buckets });
      return [{ ...times, value, attributes }];
    }
  }
}

function figurePointsOf(metric: MonitorMetric, figure: AnyFigure, times: Times): readonly Point[] {
  if (figure === undefined) return [];
  if (typeof figure === 'number') return Number.isFinite(figure) ? [{ ...times, value: figure, attributes: {} }] : [];
  if ('buckets' in figure) return [{ ...times, value: histogramOf(figure), attributes: {} }];
  return figure.map(({ labels, value }) => ({
    ...{ ...times, value },
    attributes: Object.fromEntries((metric.labels ?? []).map((name, index) => [name, labels[index] ?? ''])),
  }));
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
