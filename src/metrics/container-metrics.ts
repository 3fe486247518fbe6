import type { ResultKind } from '../health/result.ts';
import { type ContainerRef, keyOf } from '../lib/container-key.ts';
import {
  COLUMN_COUNT,
  COLUMNS,
  CONTAINER_LABELS,
  OUTCOME_WORDS,
  STATUS_WORDS,
  type StatusWord,
} from './definitions.ts';
import { bucketOf, CHECK_DURATION_BOUNDS } from './histogram.ts';
import { labelText, labelValueOf, metricLabelOf } from './label-text.ts';

/** What identifies a container in metrics. */
export interface MeasuredContainer extends ContainerRef {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The present facts about a container that metrics show. */
export interface ContainerFacts {
  readonly status: StatusWord;
  readonly failingStreak: number;
  readonly isRunning: boolean;
  /** Undefined without a health check. */
  readonly check: { readonly intervalSeconds: number; readonly timeoutSeconds: number } | undefined;
  /** Wall time of the start of the present run in milliseconds, if known. */
  readonly startedAtMs: number | undefined;
}

/** A recorded result. */
export interface MeasuredResult {
  readonly outcome: ResultKind;
  readonly status: StatusWord;
  readonly durationMs: number;
  readonly endMs: number;
  /** Undefined for a check that was not scheduled by us. */
  readonly lagMs: number | undefined;
}

/** The series of one container. */
export interface ContainerSeries {
  /** Its metric labels. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** The same as text: `namespace="default",container="web"`. */
  readonly labelText: string;
  readonly info: { readonly id: string; readonly image: string };
  /** See COLUMNS. */
  readonly columns: Float64Array;
  /** Wall time from which its counters count. */
  readonly sinceMs: number;
}

export interface ContainerMetricsOptions {
  /** The most containers that have series. */
  readonly maxContainers: number;
  /** Keys of container labels that become metric labels. */
  readonly containerLabels: readonly string[];
}

/**
 * Counts what happens to containers, and remembers their present facts until the next scrape.
 *
 * INVARIANTS
 * 1. No two containers have the same metric labels: Prometheus refuses a scrape with two equal series. Of two
 *    containers with one name, the later one has its id instead.
 * 2. Counters belong to a container, not to its name: a new container with the same name starts at 0.
 * 3. Memory is bounded by `maxContainers`; a container without series gets them once there is room.
 */
export interface ContainerMetrics {
  /** Records the present facts. @returns whether the container has series */
  observe(container: MeasuredContainer, facts: ContainerFacts): boolean;
  addResult(container: MeasuredContainer, result: MeasuredResult): void;
  addRestart(container: MeasuredContainer): void;
  addOomKill(container: MeasuredContainer): void;
  /** The container is gone. */
  forget(container: ContainerRef): void;
  readonly series: Iterable<ContainerSeries>;
  readonly size: number;
}

interface Series extends ContainerSeries {
  labels: ContainerSeries['labels'];
  labelText: string;
  info: ContainerSeries['info'];
  /** The name and the configured labels that `labels` were made of. */
  source: string;
}

export interface ContainerMetricsDeps {
  /** Wall time in milliseconds. */
  readonly now: () => number;
  /** Whether a container with series still exists: otherwise another container may take its name. */
  readonly exists: (key: string) => boolean;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createContainerMetrics(
  { maxContainers, containerLabels }: ContainerMetricsOptions,
  { now, exists }: ContainerMetricsDeps,
): ContainerMetrics {
  const all = new Map<string, Series>();
  /** Container keys, by `NAMESPACE/NAME` as metrics show them. */
  const holders = new Map<string, string>();
  const shown = containerLabels.map((key) => ({ key, name: metricLabelOf(key) }));

  const forget = (key: string): void => {
    const series = all.get(key);
    if (!series) return;
    all.delete(key);
    holders.delete(holdingOf(series));
  };
  /** The first text of name, id and numbered ids that no other container of the namespace has. */
  const freeName = ({ namespace, id, name }: MeasuredContainer, key: string): string => {
    for (let tries = 0; ; tries += 1) {
      const value = labelValueOf(tries === 0 ? name : tries === 1 ? id : `${tries} ${id}`);
      const holding = `${namespace}/${value}`;
      const holder = holders.get(holding);
      if (holder !== undefined && holder !== key && !exists(holder)) forget(holder);
      else if (holder !== undefined && holder !== key) continue;
      holders.set(holding, key);
      return value;
    }
  };
  const label = (series: Series, container: MeasuredContainer, source: string): void => {
    const key = keyOf(container);
    if (series.source !== '') holders.delete(holdingOf(series));
    const values = [labelValueOf(container.namespace), freeName(container, key)];
    series.source = source;
    series.labels = [
      ...CONTAINER_LABELS.map((name, index) => [name, values[index] ?? ''] as const),
      ...shown.map(({ key: label, name }) => [name, labelValueOf(container.labels[label] ?? '')] as const),
    ];
    series.labelText = series.labels.map(([name, value]) => labelText(name, value)).join(',');
  };
  const seriesOf = (container: MeasuredContainer): Series | undefined => {
    const key = keyOf(container);
    const known = all.get(key);
    if (known || all.size >= maxContainers) return known;
    const series: Series = {
      labels: [],
      labelText: '',
      source: '',
      info: infoOf(container),
      columns: newColumns(),
      sinceMs: now(),
    };
    label(series, container, sourceOf(container));
    all.set(key, series);
    return series;
  };
  const sourceOf = ({ name, labels }: MeasuredContainer): string =>
    shown.length === 0 ? name : JSON.stringify([name, ...shown.map(({ key }) => labels[key] ?? '')]);
  const setStatus = (columns: Float64Array, status: StatusWord, changedAtMs: number | undefined): void => {
    const [before, code] = [columns[COLUMNS.status], STATUS_WORDS.indexOf(status)];
    if (before === code) return;
    columns[COLUMNS.status] = code;
    columns[COLUMNS.lastChange] = seconds(changedAtMs);
  };
  const count = (container: MeasuredContainer, column: number): void => {
    const columns = seriesOf(container)?.columns;
    if (columns) columns[column] = (columns[column] ?? 0) + 1;
  };

  return {
    observe: (container, { status, failingStreak, isRunning, check, startedAtMs }) => {
      const series = seriesOf(container);
      if (!series) return false;
      const source = sourceOf(container);
      if (series.source !== source) label(series, container, source);
      if (series.info.image !== container.image) series.info = infoOf(container);
      const { columns } = series;
      const isNew = Number.isNaN(columns[COLUMNS.status]);
      // The time of the last change is known only for a container that is starting.
      setStatus(columns, status, isNew ? (status === 'starting' ? startedAtMs : undefined) : now());
      columns[COLUMNS.failingStreak] = failingStreak;
      columns[COLUMNS.running] = isRunning ? 1 : 0;
      columns[COLUMNS.interval] = check?.intervalSeconds ?? Number.NaN;
      columns[COLUMNS.timeout] = check?.timeoutSeconds ?? Number.NaN;
      return true;
    },
    addResult: (container, { outcome, status, durationMs, endMs, lagMs }) => {
      const columns = seriesOf(container)?.columns;
      if (!columns) return;
      const durationSeconds = Math.max(0, durationMs) / 1_000;
      const isNew = Number.isNaN(columns[COLUMNS.status]);
      setStatus(columns, status, isNew ? undefined : endMs);
      increment(columns, COLUMNS.outcomes + OUTCOME_WORDS.indexOf(outcome), 1);
      increment(columns, COLUMNS.durationSum, durationSeconds);
      increment(columns, COLUMNS.durationBuckets + bucketOf(CHECK_DURATION_BOUNDS, durationSeconds), 1);
      columns[COLUMNS.lastCheck] = seconds(endMs);
      if (lagMs !== undefined) columns[COLUMNS.lag] = Math.max(0, lagMs) / 1_000;
    },
    addRestart: (container) => count(container, COLUMNS.restarts),
    addOomKill: (container) => count(container, COLUMNS.oomKills),
    forget: (container) => forget(keyOf(container)),
    series: { [Symbol.iterator]: () => all.values() },
    get size() {
      return all.size;
    },
  };
}

function newColumns(): Float64Array {
  const columns = new Float64Array(COLUMN_COUNT);
  columns.fill(Number.NaN, 0, COLUMNS.restarts);
  return columns;
}

function increment(columns: Float64Array, index: number, by: number): void {
  columns[index] = (columns[index] ?? 0) + by;
}

const seconds = (ms: number | undefined): number => (ms === undefined ? Number.NaN : ms / 1_000);

const infoOf = ({ id, image }: MeasuredContainer): ContainerSeries['info'] => ({ id, image });

/** The key of a series in `holders`. */
const holdingOf = ({ labels: [[, namespace] = ['', ''], [, name] = ['', '']] }: ContainerSeries): string =>
  `${namespace}/${name}`;
