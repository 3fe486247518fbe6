import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { someFigures } from '../../test/builders/metrics.ts';
import { golden } from '../../test/golden/golden.ts';
import { createContainerMetrics, type MeasuredContainer } from './container-metrics.ts';
import { CONTAINER_METRICS, METRICS } from './definitions.ts';
import { type ExpositionFormat, expositionOf } from './exposition.ts';

const web: MeasuredContainer = { namespace: 'default', id: 'c1', name: 'web', image: 'demo:1', labels: { team: 'ö"' } };

function textOf(format: ExpositionFormat): string {
  const metrics = createContainerMetrics(
    { maxContainers: 10, containerLabels: ['team'] },
    { now: () => 60_000, exists: () => true },
  );
  const check = { intervalSeconds: 30, timeoutSeconds: 3 };
  const facts = { status: 'starting', failingStreak: 0, isRunning: true, check, startedAtMs: 5_000 } as const;
  metrics.observe(web, facts);
  metrics.addResult(web, { outcome: 'success', status: 'healthy', durationMs: 30, endMs: 9_500, lagMs: 2 });
  metrics.observe({ ...web, id: 'c2', name: 'plain' }, { ...facts, status: 'none', check: undefined });
  return [...expositionOf({ containers: [...metrics.series], monitor: someFigures() }, format)].join('');
}

test.each(['text', 'openmetrics'] as const)('%s', (format) => {
  expect(textOf(format)).toBe(golden(`screens/metrics-${format}.txt`, textOf(format)));
});

describe('the text format', () => {
  const lines = textOf('text').split('\n');
  const familyOf = (line: string): string => /^[a-z_]+/.exec(line)?.[0].replace(/_(bucket|sum|count)$/, '') ?? '';
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#'));

  test('has each metric once, with its samples after its head', () => {
    const heads = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2]);
    expect(heads).toEqual(METRICS.map(({ name }) => name));
    const families = samples.map((line) => METRICS.find(({ name }) => line.startsWith(name))?.name ?? familyOf(line));
    expect(families.filter((name, index) => name !== families[index - 1])).toEqual([...new Set(families)]);
  });

  test('has no series twice', () => {
    const series = samples.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(series.filter((one, index) => series.indexOf(one) !== index)).toEqual([]);
  });

  test('has no series of checks for a container without a check', () => {
    const named = samples.filter((line) => line.includes('container="plain"')).map(familyOf);
    const without = CONTAINER_METRICS.filter(({ needsCheck }) => !needsCheck).map(({ name }) => name);
    expect(without.filter((name) => !named.includes(name))).toEqual([
      'healthctl_container_last_change_timestamp_seconds',
    ]);
    expect(named.filter((name) => !without.includes(name))).toEqual([]);
  });

  test.skipIf(spawnSync('promtool', ['--version']).error)('is accepted by promtool', () => {
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
      input: textOf('text'),
      encoding: 'utf8',
    });
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
  });
});
