import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { dashboard, dashboardQueries } from '../../testbed/dashboard.ts';
import { CONTAINER_LABELS, METRICS, OUTCOME_WORDS, STATUS_WORDS } from './definitions.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');
const ALERTS = textOf('examples/prometheus/alerts.yml');

/** Names of metrics in a text that are not exported, with the suffixes of a histogram. */
function unknownMetricsIn(text: string): readonly string[] {
  const known = METRICS.flatMap(({ name, type }) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`) : [name],
  );
  return [...text.matchAll(/\b(?:healthctl|process)_[a-z_]+\b/g)].map(String).filter((name) => !known.includes(name));
}

/** Values of `status` and `outcome` in a text that no series has. */
function unknownValuesIn(text: string): readonly string[] {
  const known: readonly string[] = [...STATUS_WORDS, ...OUTCOME_WORDS];
  return [...text.matchAll(/\b(?:status|outcome)!?="(\w+)"/g)]
    .map(([, word = '']) => word)
    .filter((word) => !known.includes(word));
}

describe('examples/grafana/healthctl.json', () => {
  test('has only exported metrics, and nearly all of them', () => {
    const queries = dashboardQueries.join('\n');
    const variables = dashboard.templating.list.map(({ definition = '' }) => definition).join('\n');
    expect(unknownMetricsIn(`${queries}\n${variables}`)).toEqual([]);
    expect(unknownValuesIn(queries)).toEqual([]);
    expect(METRICS.filter(({ name }) => !`${queries}${variables}`.includes(name)).map(({ name }) => name)).toEqual([
      'healthctl_container_check_lag_seconds',
      'process_open_fds',
      'process_max_fds',
    ]);
  });

  test('has only labels that exist', () => {
    const given = new Set([
      'instance',
      'job',
      'le',
      ...CONTAINER_LABELS,
      ...METRICS.flatMap(({ labels = [] }) => labels),
    ]);
    const used = dashboardQueries.flatMap((query) =>
      [...query.matchAll(/(\w+)(?==~?"|!=")/g)].map(([, label = '']) => label),
    );
    expect(used.filter((label) => !given.has(label))).toEqual([]);
    const grouped = dashboardQueries.flatMap((query) =>
      [...query.matchAll(/(?:by|on|group_left|ignoring) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', ')),
    );
    expect(grouped.filter((label) => label !== '' && !given.has(label))).toEqual([]);
  });

  test('panels have unique ids and do not overlap', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, { gridPos: a }] of panels.entries())
      for (const { gridPos: b } of panels.slice(index + 1))
        expect(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).toBe(false);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });
});

describe('examples/prometheus/alerts.yml', () => {
  test('has only exported metrics', () => {
    expect(unknownMetricsIn(ALERTS)).toEqual([]);
    expect(unknownValuesIn(ALERTS)).toEqual([]);
  });

  test('each alert has a test', () => {
    const alerts = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const tested = [...textOf('examples/prometheus/alerts.test.yml').matchAll(/alertname: (\w+)\n +exp_alerts:\n/g)];
    expect(new Set(tested.map(([, name]) => name))).toEqual(new Set(alerts));
  });

  test.skipIf(spawnSync('promtool', ['--version']).error)('passes its own tests in promtool', () => {
    const { stdout, stderr, status } = spawnSync('promtool', ['test', 'rules', 'alerts.test.yml'], {
      cwd: `${ROOT}examples/prometheus`,
      encoding: 'utf8',
    });
    expect({ stdout, stderr, status }).toMatchObject({ stderr: '', status: 0 });
  });
});

test('queries in docs/metrics.md have only exported metrics', () => {
  const queries = textOf('docs/metrics.md').split('## Queries')[1] ?? '';
  expect(unknownMetricsIn(queries)).toEqual([]);
  expect(unknownValuesIn(queries)).toEqual([]);
});
