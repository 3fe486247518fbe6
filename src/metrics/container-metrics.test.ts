import { describe, expect, test } from 'vitest';
import {
  type ContainerFacts,
  type ContainerMetricsOptions,
  createContainerMetrics,
  type MeasuredContainer,
  type MeasuredResult,
} from './container-metrics.ts';
import { COLUMNS } from './definitions.ts';
import { MAX_LABEL_VALUE } from './label-text.ts';

const web: MeasuredContainer = { namespace: 'default', id: 'c1', name: 'web', image: 'demo:1', labels: {} };
const STARTING: ContainerFacts = {
  ...{ status: 'starting', failingStreak: 0, isRunning: true, startedAtMs: 5_000 },
  check: { intervalSeconds: 30, timeoutSeconds: 3 },
};
const SUCCESS: MeasuredResult = { outcome: 'success', status: 'healthy', durationMs: 30, endMs: 9_000, lagMs: 2 };

function setUp(options: Partial<ContainerMetricsOptions> = {}) {
  const gone = new Set<string>();
  const metrics = createContainerMetrics(
    { maxContainers: 10, containerLabels: [], ...options },
    { now: () => 60_000, exists: (key) => !gone.has(key) },
  );
  const all = () => [...metrics.series];
  const columns = () => all()[0]?.columns ?? new Float64Array();
  return {
    metrics,
    gone,
    texts: () => all().map(({ labelText }) => labelText),
    at: (column: number) => columns()[column],
  };
}

describe('the last change of the status', () => {
  test('is the start of a starting run, then the result that changes it', () => {
    const { metrics, at } = setUp();
    metrics.observe(web, STARTING);
    expect(at(COLUMNS.lastChange)).toBe(5);
    metrics.addResult(web, SUCCESS);
    metrics.addResult(web, { ...SUCCESS, endMs: 10_000 });
    expect([at(COLUMNS.lastChange), at(COLUMNS.lastCheck)]).toEqual([9, 10]);
    metrics.observe(web, { ...STARTING, status: 'unhealthy', isRunning: false });
    expect(at(COLUMNS.lastChange)).toBe(60);
  });

  test('is unknown for a container that was healthy before it was seen', () => {
    const { metrics, at } = setUp();
    metrics.observe(web, { ...STARTING, status: 'healthy' });
    metrics.addResult(web, SUCCESS);
    expect(at(COLUMNS.lastChange)).toBeNaN();
  });
});

test('counts results by outcome and duration, restarts and kills', () => {
  const { metrics, at } = setUp();
  metrics.addResult(web, SUCCESS);
  metrics.addResult(web, { ...SUCCESS, outcome: 'timeout', durationMs: 60_000 });
  metrics.addResult(web, { ...SUCCESS, outcome: 'error', durationMs: -5, lagMs: undefined });
  metrics.addRestart(web);
  metrics.addOomKill(web);
  metrics.addOomKill(web);
  expect([0, 1, 2, 3].map((index) => at(COLUMNS.outcomes + index))).toEqual([1, 0, 1, 1]);
  expect([at(COLUMNS.durationSum), at(COLUMNS.lag)]).toEqual([60.03, 0.002]);
  expect([0, 1, 2, 11].map((index) => at(COLUMNS.durationBuckets + index))).toEqual([1, 0, 1, 1]);
  expect([at(COLUMNS.restarts), at(COLUMNS.oomKills)]).toEqual([1, 2]);
});

describe('series end with their container', () => {
  test('a container with the same name begins at zero', () => {
    const { metrics, texts, at } = setUp();
    metrics.addResult(web, SUCCESS);
    metrics.forget(web);
    expect(texts()).toEqual([]);
    metrics.addResult({ ...web, id: 'c2' }, SUCCESS);
    expect([texts(), at(COLUMNS.outcomes)]).toEqual([['namespace="default",container="web"'], 1]);
  });

  test('it does so too when the end of the first one is seen later', () => {
    const { metrics, texts, gone } = setUp();
    metrics.addResult(web, SUCCESS);
    gone.add('default/c1');
    metrics.observe({ ...web, id: 'c2' }, STARTING);
    expect(texts()).toEqual(['namespace="default",container="web"']);
    metrics.forget(web);
    expect(metrics.size).toBe(1);
  });
});

describe('no two containers have the same series', () => {
  test('of two containers with one name, the later one is shown with its id', () => {
    const { metrics, texts } = setUp();
    for (const id of ['c1', 'c2', 'c3']) metrics.observe({ ...web, id }, STARTING);
    metrics.observe({ ...web, namespace: 'other' }, STARTING);
    metrics.observe({ ...web, id: 'c4', name: 'c2' }, STARTING);
    metrics.observe({ ...web, id: 'c5', name: 'x'.repeat(300) }, STARTING);
    metrics.observe({ ...web, id: 'c6', name: 'x'.repeat(301) }, STARTING);
    expect(texts().slice(0, 5)).toEqual([
      ...['web', 'c2', 'c3'].map((name) => `namespace="default",container="${name}"`),
      'namespace="other",container="web"',
      'namespace="default",container="c4"',
    ]);
    expect(new Set(texts()).size).toBe(7);
  });

  test('a name that is the id of another container', () => {
    const { metrics, texts } = setUp();
    for (const [id, name] of [
      ['a', 'b'],
      ['b', 'b'],
      ['c', 'b'],
    ] as const)
      metrics.observe({ ...web, id, name }, STARTING);
    expect(texts()).toEqual(['b', '2 b', 'c'].map((name) => `namespace="default",container="${name}"`));
  });

  test('after a rename the new name is shown, and the old one is free', () => {
    const { metrics, texts } = setUp();
    metrics.observe(web, STARTING);
    metrics.observe({ ...web, name: 'db' }, STARTING);
    metrics.observe({ ...web, id: 'c2' }, STARTING);
    expect(texts()).toEqual(['db', 'web'].map((name) => `namespace="default",container="${name}"`));
  });
});

describe('limits', () => {
  test('containers beyond the limit have no series until others are gone', () => {
    const { metrics, texts } = setUp({ maxContainers: 1 });
    expect([web, { ...web, id: 'c2', name: 'db' }].map((one) => metrics.observe(one, STARTING))).toEqual([true, false]);
    metrics.addResult({ ...web, id: 'c2', name: 'db' }, SUCCESS);
    expect(metrics.size).toBe(1);
    metrics.forget(web);
    metrics.observe({ ...web, id: 'c2', name: 'db' }, STARTING);
    expect(texts()).toEqual(['namespace="default",container="db"']);
  });

  test('values of labels are cut and escaped, and only configured labels are shown', () => {
    const { metrics, texts } = setUp({ containerLabels: ['com.example/team'] });
    const labels = { 'com.example/team': 'a"b\\c\nd', other: 'x' };
    metrics.observe({ ...web, name: `${'x'.repeat(MAX_LABEL_VALUE)}y`, labels }, STARTING);
    metrics.observe({ ...web, id: 'c2', labels: {} }, STARTING);
    expect(texts()).toEqual([
      `namespace="default",container="${'x'.repeat(MAX_LABEL_VALUE - 1)}…",label_com_example_team="a\\"b\\\\c\\nd"`,
      'namespace="default",container="web",label_com_example_team=""',
    ]);
    metrics.observe({ ...web, id: 'c2', labels: { 'com.example/team': 'blue' } }, STARTING);
    expect(texts()[1]).toBe('namespace="default",container="web",label_com_example_team="blue"');
  });
});
