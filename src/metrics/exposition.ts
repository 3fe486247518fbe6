import type { ContainerSeries } from './container-metrics.ts';
import { CONTAINER_METRICS, type MetricDefinition, MONITOR_METRICS, type MonitorMetricName } from './definitions.ts';
import type { HistogramCounts } from './histogram.ts';
import { labelText } from './label-text.ts';
import type { MonitorFigures } from './monitor-figures.ts';
import { type Sample, samplesOf, samplesOfFigure } from './samples.ts';

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
      text += linesOf(metric.name, series.labelText, samplesOf(metric, series));
      if (index % CONTAINERS_PER_PART !== CONTAINERS_PER_PART - 1) continue;
      yield text;
      text = '';
    }
    yield text;
  }
  for (const name of Object.keys(MONITOR_METRICS) as MonitorMetricName[]) {
    const metric = MONITOR_METRICS[name];
    yield headOf(metric, format) + linesOf(metric.name, '', samplesOfFigure(metric, monitor[name]));
  }
  if (format === 'openmetrics') yield '# EOF\n';
}

function headOf({ name, type, help, unit }: MetricDefinition, format: ExpositionFormat): string {
  const isOpen = format === 'openmetrics';
  const family = isOpen && type === 'counter' ? name.replace(/_total$/, '') : name;
  const unitLine = isOpen && unit !== undefined && family.endsWith(`_${unit}`) ? `# UNIT ${family} ${unit}\n` : '';
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n${unitLine}`;
}

/** @param labels of the container, as text */
function linesOf(name: string, labels: string, samples: readonly Sample[]): string {
  let text = '';
  for (const { labels: own, value } of samples) {
    let all = labels;
    for (const [label, word] of own) all += `${all === '' ? '' : ','}${labelText(label, word)}`;
    text += typeof value === 'number' ? line(name, all, value) : histogramText(name, all, value);
  }
  return text;
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

function line(name: string, labels: string, value: number): string {
  const shown = value === Number.POSITIVE_INFINITY ? '+Inf' : `${value}`;
  return labels === '' ? `${name} ${shown}\n` : `${name}{${labels}} ${shown}\n`;
}
