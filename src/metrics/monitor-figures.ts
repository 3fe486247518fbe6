import type { MONITOR_METRICS, MonitorMetricName } from './definitions.ts';
import type { HistogramCounts } from './histogram.ts';

/** One value with the values of its labels, in the order of the definition. */
interface LabelledValue {
  readonly labels: readonly string[];
  readonly value: number;
}

type FigureOf<Metric> = Metric extends { readonly type: 'histogram' }
  ? HistogramCounts
  : Metric extends { readonly labels: readonly string[] }
    ? readonly LabelledValue[]
    : number | undefined;

/** The values of the metrics of the monitor; undefined: none. */
export type MonitorFigures = { readonly [Name in MonitorMetricName]: FigureOf<(typeof MONITOR_METRICS)[Name]> };

/** Any figure, for code that treats all metrics alike. */
export type AnyFigure = HistogramCounts | readonly LabelledValue[] | number | undefined;
