import { expect, test } from 'vitest';
import { aRecord } from '../../test/builders/container.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { createFakeExchange } from '../../test/fakes/events.ts';
import type { Containers } from '../containerd/containers.ts';
import type { FactsReader } from './container-facts.ts';
import { containerdEventSource } from './containerd-event-source.ts';

const read: FactsReader = {
  ofRecord: ({ id, labels, image }) => ({ name: labels.name ?? id, image, labels }),
  ofLabels: (id, labels) => ({ name: labels.name ?? id, labels }),
  imageName: (name) => name,
};

function setUp() {
  const [clock, exchange] = [createFakeClock(), createFakeExchange()];
  const warnings: string[] = [];
  const containers = { list: async () => [aRecord({ id: 'c1', labels: { name: 'web' } })] } as unknown as Containers;
  const source = containerdEventSource({
    containerd: { namespace: 'default', events: exchange, containers },
    read,
    clock,
    log: { warn: (text) => warnings.push(text), debug: () => {} },
    logDir: '/nonexistent/events',
    withoutExecs: 'healthctl-check-',
  });
  const abort = new AbortController();
  const seen: string[] = [];
  const begin = async (range: { sinceMs?: number; untilMs?: number }): Promise<string> => {
    try {
      for await (const { action, attributes } of source.events({ ...range, signal: abort.signal }))
        seen.push(`${action} ${attributes.name}`);
      return 'ended';
    } catch (error) {
      return String(error);
    }
  };
  return { clock, exchange, warnings, abort, seen, begin };
}

test('yields the events of the namespace as they happen, until the signal aborts', async () => {
  const { clock, exchange, warnings, abort, seen, begin } = setUp();
  const running = begin({});
  await clock.advance(1);
  exchange.emit({ kind: 'task-started', id: 'c1', pid: 7 });
  exchange.emit({ kind: 'task-started', id: 'c1', pid: 7, namespace: 'other' });
  exchange.emit({ kind: 'task-created', id: 'c1' });
  await clock.advance(1);
  expect(seen).toEqual(['start web']);
  abort.abort();
  expect(await running).toBe('HealthctlError: Subscribe was cancelled');
  expect([warnings, exchange.subscribers, clock.sleepers]).toEqual([[], 0, 0]);
});

test('waits for a time in the future, and ends then', async () => {
  const { clock, exchange, seen, begin } = setUp();
  const running = begin({ untilMs: clock.now() + 5_000 });
  await clock.advance(4_000);
  exchange.emit({ kind: 'task-paused', id: 'c1', atMs: clock.now() });
  await clock.advance(2_000);
  expect(await running).toBe('ended');
  expect([seen, exchange.subscribers, clock.sleepers]).toEqual([['pause web'], 0, 0]);
});

test('an event after that time ends it too', async () => {
  const { clock, exchange, seen, begin } = setUp();
  const untilMs = clock.now() + 5_000;
  const running = begin({ untilMs });
  await clock.advance(1);
  exchange.emit({ kind: 'task-paused', id: 'c1', atMs: untilMs + 1 });
  expect(await running).toBe('ended');
  expect([seen, exchange.subscribers, clock.sleepers]).toEqual([[], 0, 0]);
});

test('warns once that the past is not recorded', async () => {
  const { clock, exchange, warnings, begin } = setUp();
  const [sinceMs, untilMs] = [clock.now() - 60_000, clock.now() - 1_000];
  expect(await begin({ sinceMs, untilMs })).toBe('ended');
  expect(exchange.subscribers).toBe(0);
  expect(warnings).toEqual([
    'no events are known between 2025-12-31T23:59:00.000Z and 2025-12-31T23:59:59.000Z: no monitor recorded them',
  ]);
});
