import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import type { CommandHookSettings } from '../../lib/settings.ts';
import type { HookEvent } from './hook-event.ts';
import { createHooks } from './hooks.ts';

const aHook = (over: Partial<CommandHookSettings> = {}): CommandHookSettings => ({
  ...{ on: ['unhealthy', 'healthy', 'restart'], command: ['/bin/tell'], timeoutMs: 10_000, retries: 0 },
  ...over,
});
const anEvent = (over: Partial<HookEvent> = {}): HookEvent => ({
  ...{ event: 'unhealthy', time: '', namespace: 'default', id: 'c1', name: 'web', image: 'demo' },
  ...over,
});

function setUp(...hooks: CommandHookSettings[]) {
  const clock = createFakeClock();
  const [runs, logged]: [string[], string[]] = [[], []];
  const now = { fails: 0, hangs: new Set<string>() };
  const made = createHooks({
    hooks,
    clock,
    log: { info: (text) => logged.push(text), warn: (text) => logged.push(text) },
    run: async ({ command }, { event, id }, signal) => {
      runs.push(`${command[0]} ${event} ${id}@${clock.monotonic()}`);
      if (now.hangs.has(command[0] ?? ''))
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
      if (now.fails-- > 0) throw new Error('it ended with status 1');
    },
  });
  return { clock, runs, logged, now, ...made };
}

test('each hook gets the events that it asks for, in order', async () => {
  const { enqueue, runs, clock } = setUp(aHook({ command: ['/a'], on: ['healthy'] }), aHook({ command: ['/b'] }));
  for (const event of ['unhealthy', 'healthy', 'restart'] as const) enqueue(anEvent({ event }));
  await clock.advance(1);
  expect(runs.sort()).toEqual(['/a healthy c1@0', '/b healthy c1@0', '/b restart c1@0', '/b unhealthy c1@0']);
});

test('retries a hook that failed, with growing delays, up to its limit', async () => {
  const { enqueue, runs, logged, now, clock } = setUp(aHook({ retries: 2 }));
  now.fails = 3;
  enqueue(anEvent());
  enqueue(anEvent({ id: 'c2' }));
  await clock.advance(10_000);
  expect(runs).toEqual(
    [0, 1000, 3000].map((at) => `/bin/tell unhealthy c1@${at}`).concat('/bin/tell unhealthy c2@3000'),
  );
  expect(logged).toHaveLength(3);
  expect(logged[2]).toBe('hook /bin/tell for unhealthy of container default/web (c1) failed: it ended with status 1');
  expect(clock.sleepers).toBe(0);
});

test('a hook that hangs delays no other; the events that it misses are bounded and counted', async () => {
  const { enqueue, runs, logged, now, clock, stop } = setUp(aHook({ command: ['/a'] }), aHook({ command: ['/b'] }));
  now.hangs.add('/a');
  for (let i = 0; i < 150; i += 1) {
    enqueue(anEvent({ id: `c${i}` }));
    await clock.advance(1);
  }
  expect(runs.filter((text) => text.startsWith('/b'))).toHaveLength(150);
  expect(runs.filter((text) => text.startsWith('/a'))).toHaveLength(1);
  await stop();
  enqueue(anEvent());
  expect(logged).toEqual(['hook /a: queue full, 49 events dropped', '100 events for hooks dropped: the monitor ends']);
});
