import { expect, test } from 'vitest';
import { pastContainers } from '../history/containers.ts';
import type { Change, Phase } from '../history/model.ts';
import { spansOf } from '../history/timeline.ts';
import { incidentsOf } from './incidents.ts';

const KEY = 'default/a';
const seen: Change = { kind: 'seen', atMs: 0, key: KEY, name: 'a<b>', image: 'i' };
const to = (atMs: number, phase: Phase, reason = ''): Change => ({
  ...{
    kind: 'phase',
    atMs,
    key: KEY,
    phase,
    sinceMs: undefined,
    exitCode: phase === 'unhealthy' ? 7 : undefined,
    reason,
  },
});
const restart = (atMs: number): Change => ({ kind: 'action', atMs, key: KEY, action: 'restart', reason: 'unhealthy' });

function incidents(changes: readonly Change[], toMs = 1_000, fromMs = 0) {
  const [container] = pastContainers([seen, ...changes]);
  if (!container) throw new Error('no container');
  return incidentsOf(container, spansOf(container.changes, toMs), { fromMs, toMs });
}

test('an incident lasts until the container is healthy again', () => {
  expect(incidents([to(0, 'healthy'), to(100, 'unhealthy', 'no\x1banswer'), to(300, 'healthy')])).toEqual([
    {
      ...{ key: KEY, name: 'a<b>', fromMs: 100, toMs: 300, isOpen: false, phase: 'unhealthy', exitCode: 7 },
      ...{ reason: 'no\\x1banswer', restarts: 0 },
    },
  ]);
});

test.each([
  [7, 'first\r\nlast\r\n', 'last'],
  [-1, 'Health check exceeded timeout (5s): first\nlast\n', 'Health check exceeded timeout (5s): first'],
])('with exit code %i, the cause is the line that says most, as in explain', (exitCode, reason, shown) => {
  expect(incidents([{ ...to(0, 'unhealthy', reason), exitCode } as Change])).toMatchObject([{ reason: shown }]);
});

test('an incident includes restarts that do not help', () => {
  const changes = [
    ...[to(0, 'healthy'), to(100, 'unhealthy', 'first'), restart(110), to(110, 'starting'), to(200, 'ended')],
    ...[restart(210), to(210, 'starting'), to(250, 'unhealthy', 'again'), to(400, 'healthy')],
  ];
  expect(incidents(changes)).toMatchObject([{ fromMs: 100, toMs: 400, reason: 'first', restarts: 2 }]);
});

test.each<Phase>(['stopped', 'paused', 'gone', 'unchecked'])('a container that is %s is in no incident', (phase) => {
  expect(incidents([to(0, 'unhealthy'), to(100, phase)])).toMatchObject([{ fromMs: 0, toMs: 100, isOpen: false }]);
});

test('the present incident is open, also while the container restarts', () => {
  expect(incidents([to(0, 'healthy'), to(100, 'ended')])).toMatchObject([
    { toMs: 1_000, isOpen: true, phase: 'ended' },
  ]);
  expect(incidents([to(0, 'unhealthy'), to(100, 'starting')])).toMatchObject([{ fromMs: 0, isOpen: true }]);
});

test('incidents before the period are omitted', () => {
  const changes = [to(0, 'unhealthy'), to(100, 'healthy'), to(500, 'unhealthy'), to(600, 'healthy')];
  expect(incidents(changes, 1_000, 300)).toMatchObject([{ fromMs: 500 }]);
});

test('a start is no incident', () => {
  expect(incidents([to(0, 'starting'), to(100, 'healthy')])).toEqual([]);
});
