import type { ContainerSeries } from './container-metrics.ts';
import { COLUMNS, type ContainerMetric, type MonitorMetric } from './definitions.ts';
import type { HistogramCounts } from './histogram.ts';
import { labelValueOf } from './label-text.ts';
import type { AnyFigure } from './monitor-figures.ts';

/** One value of a metric, for all forms in which metrics are sent. */
export interface Sample {
  /** Its labels, besides those of the container. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number | HistogramCounts;
}

const NO_LABELS: Sample['labels'] = [];

/** The samples of one metric of one container; none without a value. */
export function samplesOf(metric: ContainerMetric, { columns, info }: ContainerSeries): readonly Sample[] {
  if (metric.needsCheck && Number.isNaN(columns[COLUMNS.interval])) return [];
  const at = (column: number): number => columns[column] ?? Number.NaN;
  switch (metric.kind) {
    case 'info':
      return [
        {
          labels: [
            ['id', labelValueOf(info.id)],
            ['image', labelValueOf(info.image)],
          ],
          value: 1,
        },
      ];
    case 'value':
      return Number.isNaN(at(metric.column)) ? [] : [{ labels: NO_LABELS, value: at(metric.column) }];
    case 'state':
      return metric.words.map((word, index) => ({
        labels: [[metric.label, word]],
        value: at(metric.column) === index ? 1 : 0,
      }));
    case 'values':
      return metric.words.map((word, index) => ({ labels: [[metric.label, word]], value: at(metric.column + index) }));
    case 'histogram': {
      const buckets = columns.subarray(metric.column + 1, metric.column + 2 + metric.bounds.length);
      return [{ labels: NO_LABELS, value: { bounds: metric.bounds, sum: at(metric.column), buckets } }];
    }
  }
}

/** The samples of a metric of the monitor; none without a figure. */
export function samplesOfFigure(metric: MonitorMetric, figure: AnyFigure): readonly Sample[] {
  if (figure === undefined) return [];
  if (typeof figure === 'number' || 'buckets' in figure) return [{ labels: NO_LABELS, value: figure }];
  return figure.map(({ labels, value }) => ({
    labels: (metric.labels ?? []).map((name, index) => [name, labelValueOf(labels[index] ?? '')] as const),
    value,
  }));
}
