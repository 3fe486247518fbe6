import type { ContainerSeries } from './container-metrics.ts';
import {
  COLUMNS,
  CONTAINER_METRICS,
  type ContainerMetric,
  type MetricDefinition,
  MONITOR_METRICS,
  type MonitorMetric,
  type MonitorMetricName,
} from './definitions.ts';
import type { HistogramCounts } from './histogram.ts';
import { labelText, labelValueOf } from './label-text.ts';
import type { AnyFigure, MonitorFigures } from './monitor-figures.ts';

/** `text`: Prometheus' text format 0.0.4; `openmetrics`: OpenMetrics 1.0. */
export type ExpositionFormat = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Number of containers that are written without a break: some tenths of a millisecond. */
const CONTAINERS_PER_PART = 10;

/** All metrics in one of the text formats, in parts, so that the caller can do other work in between. */
export function* expositionOf(
  { containers, monitor }: { readonly containers: readonly ContainerSeries[]; readonly monitor: MonitorFigures },
  format: ExpositionFormat,
): Generator<string> {
  for (const metric of CONTAINER_METRICS) {
    let text = headOf(metric, format);
    for (const [index, series] of containers.entries()) {
      text += samplesOf(metric, series);
      if (index % CONTAINERS_PER_PART !== CONTAINERS_PER_PART - 1) continue;
      yield text;
      text = '';
    }
    yield text;
  }
  for (const name of Object.keys(MONITOR_METRICS) as MonitorMetricName[])
    yield headOf(MONITOR_METRICS[name], format) + figureText(MONITOR_METRICS[name], monitor[name]);
  if (format === 'openmetrics') yield '# EOF\n';
}

function headOf({ name, type, help, unit }: MetricDefinition, format: ExpositionFormat): string {
  const isOpen = format === 'openmetrics';
  const family = isOpen && type === 'counter' ? name.replace(/_total$/, '') : name;
  const unitLine = isOpen && unit !== undefined && family.endsWith(`_${unit}`) ? `# UNIT ${family} ${unit}\n` : '';
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n${unitLine}`;
}

/** The lines of one metric of one container; empty if it has none. */
function samplesOf(metric: ContainerMetric, { labelText: labels, columns, info }: ContainerSeries): string {
  if (metric.needsCheck && Number.isNaN(columns[COLUMNS.interval])) return '';
  const { name } = metric;
  const at = (column: number): number => columns[column] ?? Number.NaN;
  switch (metric.kind) {
    case 'info':
      return line(
        name,
        `${labels},${labelText('id', labelValueOf(info.id))},${labelText('image', labelValueOf(info.image))}`,
        1,
      );
    case 'value':
      return line(name, labels, at(metric.column));
    case 'state':
      return metric.words
        .map((word, index) => line(name, `${labels},${metric.label}="${word}"`, at(metric.column) === index ? 1 : 0))
        .join('');
    case 'values':
      return metric.words
        .map((word, index) => line(name, `${labels},${metric.label}="${word}"`, at(metric.column + index)))
        .join('');
    case 'histogram':
      return histogramText(name, labels, {
        bounds: metric.bounds,
        sum: at(metric.column),
        buckets: columns.subarray(metric.column + 1, metric.column + 2 + metric.bounds.length),
      });
  }
}

function figureText(metric: MonitorMetric, figure: AnyFigure): string {
  if (figure === undefined) return '';
  if (typeof figure === 'number') return line(metric.name, '', figure);
  if ('buckets' in figure) return histogramText(metric.name, '', figure);
  return figure
    .map(({ labels, value }) => {
      const pairs = (metric.labels ?? []).map((name, index) => labelText(name, labelValueOf(labels[index] ?? '')));
      return line(metric.name, pairs.join(','), value);
    })
    .join('');
}

function histogramText(name: string, labels: string, { bounds, sum, buckets }: HistogramCounts): string {
  const open = labels === '' ? '' : `${labels},`;
  let count = 0;
  let text = '';
  for (let index = 0; index <= bounds.length; index += 1) {
    count += buckets[index] ?? 0;
    const bound = bounds[index];
    text += `${name}_bucket{${open}le="${bound === undefined ? '+Inf' : boundText(bound)}"} ${count}\n`;
  }
  return `${text}${line(`${name}_sum`, labels, sum)}${line(`${name}_count`, labels, count)}`;
}

/** OpenMetrics requires a point in `le`; both formats have the same text, so that they make the same series. */
const boundText = (bound: number): string => (Number.isInteger(bound) ? `${bound}.0` : `${bound}`);

/** Empty for NaN: there is no value. */
function line(name: string, labels: string, value: number): string {
  if (Number.isNaN(value)) return '';
  const shown = value === Number.POSITIVE_INFINITY ? '+Inf' : `${value}`;
  return labels === '' ? `${name} ${shown}\n` : `${name}{${labels}} ${shown}\n`;
}
