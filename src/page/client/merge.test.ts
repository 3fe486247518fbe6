import { expect, test } from 'vitest';
import type { ContainerRow, OverviewAnswer, UpdateMessage } from '../wire.ts';
import { merged } from './merge.ts';

const T0 = 1_800_000_000_000;
const row = (over: Partial<ContainerRow> = {}): ContainerRow => ({
  ...{ key: 'default/a', namespace: 'default', id: 'a', name: 'web', image: 'demo:1', status: 'healthy', sinceMs: 7 },
  ...{ failingStreak: 0, lastCheck: null, isRestarting: false, uptime: 1, p50Ms: 1, p95Ms: 2, flaps: 0, restarts: 0 },
  ...{ bar: 'hhh', succeeded: [1, 1, 1], failed: [0, 0, 0] },
  ...over,
});
const overview = (...containers: ContainerRow[]): OverviewAnswer => ({
  ...{ nowMs: T0, range: '90m', fromMs: T0 - 300_000, containers, incidents: [], notes: [] },
});
const update = (over: Partial<UpdateMessage['containers'][number]> = {}): UpdateMessage['containers'][number] => ({
  ...{ key: 'default/a', status: 'healthy', failingStreak: 0, lastCheck: null, isRestarting: false },
  ...{ succeeded: 0, failed: 0 },
  ...over,
});
const after = (message: Partial<UpdateMessage>) =>
  merged(overview(row()), { atMs: T0 + 1_000, containers: [], gone: [], ...message });

test('a result counts in the last bar', () => {
  const { overview: next, changes, isStale } = after({ containers: [update({ succeeded: 2, failed: 1 })] });
  expect(next.containers[0]).toMatchObject({ bar: 'hhf', succeeded: [1, 1, 3], failed: [0, 0, 1], sinceMs: 7 });
  expect([changes, isStale]).toEqual([[], false]);
});

test('a change of status begins now, shows in the last bar, and requests the incidents', () => {
  const { overview: next, changes, isStale } = after({ containers: [update({ status: 'unhealthy', failed: 1 })] });
  expect(next.containers[0]).toMatchObject({ status: 'unhealthy', bar: 'hhu', sinceMs: T0 + 1_000 });
  expect([changes, isStale]).toEqual([[{ key: 'default/a', name: 'web', status: 'unhealthy' }], true]);
});

test('a bar keeps its worst status', () => {
  const before = overview(row({ bar: 'hhu', status: 'unhealthy' }));
  const { overview: next } = merged(before, { atMs: T0, containers: [update({ succeeded: 1 })], gone: [] });
  expect(next.containers[0]?.bar).toBe('hhu');
});

test('a removed container disappears; an unknown one, and a new bar, are requested', () => {
  expect(after({ gone: ['default/a'] }).overview.containers[0]).toMatchObject({ status: 'gone', sinceMs: T0 + 1_000 });
  expect(after({ containers: [update({ key: 'default/new' })] }).isStale).toBe(true);
  expect(after({ atMs: T0 + 60_000 }).isStale).toBe(true);
});
