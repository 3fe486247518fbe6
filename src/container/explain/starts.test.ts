import { expect, test } from 'vitest';
import type { HostEvent } from '../../events/host-event.ts';
import { lastStarts, startsFrom } from './starts.ts';

const event = (action: string, atMs: number, id = 'c1'): HostEvent => ({
  ...{ type: 'container', action, id, atMs, namespace: 'default', attributes: {} },
});
const healthy = 'health_status: healthy';

test('measures from a start to its first healthy result', () => {
  const events = [
    ...[event('start', 1_000), event(healthy, 4_000), event('health_status: unhealthy', 5_000), event(healthy, 9_000)],
    ...[
      event('die', 10_000),
      event('start', 20_000),
      event('health_status: unhealthy', 21_000),
      event(healthy, 29_000),
    ],
  ];
  expect(startsFrom(events, 'c1')).toEqual([
    { ms: 3_000, wasUnhealthy: false },
    { ms: 9_000, wasUnhealthy: true },
  ]);
});

test('ignores other containers, and starts that ended before they were healthy', () => {
  const events = [
    event('start', 0),
    event('die', 5),
    event('start', 6, 'c2'),
    event(healthy, 7),
    event(healthy, 8, 'c2'),
  ];
  expect(startsFrom(events, 'c1')).toEqual([]);
});

test('has the last ten starts', () => {
  const events = Array.from({ length: 12 }, (_, index) => [event('start', 0), event(healthy, index)]).flat();
  expect(lastStarts(startsFrom(events, 'c1')).map(({ ms }) => ms)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});
