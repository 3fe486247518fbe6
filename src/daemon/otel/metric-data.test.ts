import { DataPointType } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { someFigures } from '../../../test/builders/metrics.ts';
import { createContainerMetrics } from '../../metrics/container-metrics.ts';
import { METRICS } from '../../metrics/definitions.ts';
import { metricsOfContainers, metricsOfMonitor, otelNameOf } from './metric-data.ts';

const web = { namespace: 'default', id: 'c1', name: 'web', image: 'demo:1', labels: {} };

function dataOf() {
  const metrics = createContainerMetrics(
    { maxContainers: 10, containerLabels: [] },
    { now: () => 60_000, exists: () => true },
  );
  const check = { intervalSeconds: 30, timeoutSeconds: 3 };
  metrics.observe(web, { status: 'healthy', failingStreak: 0, isRunning: true, check, startedAtMs: 5_000 });
  metrics.observe(
    { ...web, id: 'c2', name: 'plain' },
    { status: 'none', failingStreak: 0, isRunning: true, check: undefined, startedAtMs: 5_000 },
  );
  metrics.addResult(web, { outcome: 'success', status: 'healthy', durationMs: 30, endMs: 61_000, lagMs: 2 });
  return metricsOfContainers([...metrics.series], 90_500);
}

const find = (name: string) => dataOf().find(({ descriptor }) => descriptor.name === name);

/** Prometheus's name for a name and a unit that it receives by OTLP. */
const prometheusNameOf = (name: string, unit: string, isSum: boolean): string =>
  [name.replaceAll('.', '_'), ...({ s: ['seconds'], By: ['bytes'] }[unit] ?? []), ...(isSum ? ['total'] : [])].join(
    '_',
  );

test('Prometheus makes the same names of the metrics', () => {
  const units = { seconds: 's', bytes: 'By' } as const;
  const names = METRICS.map((metric) =>
    prometheusNameOf(otelNameOf(metric), metric.unit ? units[metric.unit] : '', metric.type === 'counter'),
  );
  expect(names).toEqual(METRICS.map(({ name }) => name));
  expect(
    otelNameOf({ name: 'healthctl_container_check_duration_seconds', type: 'histogram', help: '', unit: 'seconds' }),
  ).toBe('healthctl.container.check_duration');
});

test('sends a state, a counter and a histogram of a container', () => {
  const labels = { namespace: 'default', container: 'web' };
  const points = (name: string) => find(name)?.dataPoints.map(({ attributes, value }) => [attributes, value]);
  expect(points('healthctl.container.health_status')?.slice(0, 4)).toEqual(
    ['none', 'starting', 'healthy', 'unhealthy'].map((status) => [{ ...labels, status }, status === 'healthy' ? 1 : 0]),
  );
  expect(points('healthctl.container.info')?.[0]).toEqual([{ ...labels, id: 'c1', image: 'demo:1' }, 1]);
  expect(find('healthctl.container.checks')).toMatchObject({ dataPointType: DataPointType.SUM, isMonotonic: true });
  expect(points('healthctl.container.checks')?.[0]).toEqual([{ ...labels, outcome: 'success' }, 1]);
  const duration = find('healthctl.container.check_duration');
  expect(duration?.descriptor).toMatchObject({ unit: 's' });
  expect(duration?.dataPoints[0]).toMatchObject({
    startTime: [60, 0],
    endTime: [90, 500_000_000],
    value: { sum: 0.03, count: 1, buckets: { counts: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] } },
  });
  // It is unknown since when the container is healthy.
  expect(find('healthctl.container.last_change_timestamp')).toBeUndefined();
});

test('sends no series of checks for a container without a check', () => {
  const named = (name: string) => find(name)?.dataPoints.map(({ attributes }) => attributes.container);
  expect(new Set(named('healthctl.container.running'))).toEqual(new Set(['web', 'plain']));
  for (const name of ['checks', 'check_duration', 'failing_streak'])
    expect(new Set(named(`healthctl.container.${name}`))).toEqual(new Set(['web']));
});

test('does not send values of the monitor that are missing or infinite', () => {
  const data = metricsOfMonitor(someFigures(), { startMs: 0, endMs: 1 });
  const names = data.map(({ descriptor }) => descriptor.name);
  const errors = data.find(({ descriptor }) => descriptor.name === 'healthctl.monitor.containerd_errors');
  expect(errors?.dataPoints).toMatchObject([{ attributes: { code: 'UNAVAILABLE' }, value: 3 }]);
  expect(names).toContain('healthctl.build_info');
  expect(names).toContain('process.cpu');
  expect(names).not.toContain('healthctl.monitor.history');
  expect(names).not.toContain('process.max_fds');
});
