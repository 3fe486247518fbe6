import { expect, test } from 'vitest';
import { createFakeContainer } from '../../test/fakes/container.ts';
import type { Tasks } from '../containerd/tasks.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { ContainerContext } from './context.ts';
import { killContainer, type StopOptions, sendSignal, signalled, stopContainer } from './stop.ts';

/** A container that ends at the first signal. The test publishes the end. */
function setUp() {
  const fake = createFakeContainer();
  const { ctx, exchange } = fake;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const tasks: Partial<Tasks> = {
    kill: async () => end(),
    wait: () => ended.then(() => ({ status: 143, atMs: 5 })),
  };
  const written: Readonly<Record<string, string>>[] = [];
  const containers = {
    setLabels: async (_: string, labels: Readonly<Record<string, string>>) => void written.push(labels),
  };
  const containerd = { ...ctx.containerd, containers, tasks };
  const endedTimers: string[] = [];
  const endNerdctlTimer = async (id: string) => {
    endedTimers.push(id);
    return true;
  };
  const stop = (events: Partial<typeof exchange> = {}, options: StopOptions = {}) =>
    stopContainer(
      {
        ...ctx,
        endNerdctlTimer,
        containerd: { ...containerd, events: { ...exchange, ...events } },
      } as unknown as ContainerContext,
      fake.view(),
      options,
    );
  const topics = () => exchange.published.map(({ topic }) => topic);
  return { ...fake, stop, topics, written, endedTimers };
}

test('publishes the stop after the end, even if the shim answers before the end is reported', async () => {
  const { stop, topics, settle, exchange, exit, remaining } = setUp();
  const stopping = stop();
  await settle();
  exchange.emit({ kind: 'task-exited', id: 'c1', namespace: 'other', pid: 1, exitStatus: 0, exitedAtMs: 0 });
  await settle();
  expect(topics()).toEqual(['/healthctl/kill']);
  exit(143);
  await stopping;
  expect(topics()).toEqual(['/healthctl/kill', '/healthctl/stop']);
  expect(remaining()).toEqual([0, 0]);
});

test("records the stop before the signal, also for containerd's restart plugin", async () => {
  const { stop, settle, written, topics, exit } = setUp();
  const stopping = stop();
  await settle();
  expect(written).toEqual([
    { 'healthctl/stopped': expect.any(String), 'containerd.io/restart.explicitly-stopped': 'true' },
  ]);
  expect(topics()).toEqual(['/healthctl/kill']);
  exit(143);
  await stopping;
});

test.each<[StopOptions, string[]]>([
  [{}, ['c1']],
  [{ isRestart: true }, []],
  [{ isForGood: false }, []],
])("ends the timer of nerdctl's checks if the stop is for good: %j", async (options, expected) => {
  const { stop, settle, exit, endedTimers } = setUp();
  const stopping = stop({}, options);
  await settle();
  exit(143);
  await stopping;
  expect(endedTimers).toEqual(expected);
});

test('without an event of the end, a stop takes two seconds longer', async () => {
  const { stop, topics, clock } = setUp();
  const stopping = stop();
  await clock.advance(1_999);
  expect(topics()).toHaveLength(1);
  await clock.advance(1);
  await stopping;
  expect(topics()).toHaveLength(2);
});

test('a stop succeeds even if no event comes', async () => {
  const { stop, topics } = setUp();
  await stop({
    subscribe: () => Promise.reject(new HealthctlError('TIMEOUT', 'containerd did not deliver events in time')),
  });
  expect(topics()).toEqual(['/healthctl/kill', '/healthctl/stop']);
});

test('a signal to a shim that does not answer is reported as pending, with a remedy', async () => {
  const { view } = setUp();
  const sent = Promise.reject(new HealthctlError('TIMEOUT', 'no answer'));
  await expect(signalled(view(), sent)).rejects.toMatchObject({
    code: 'UNKNOWN',
    message: expect.stringContaining('the state of container web is not known: its shim does not answer'),
    hint: expect.stringContaining('the signal is on its way'),
  });
});

const refused = new HealthctlError('UNKNOWN', 'the shim of the container closed the connection');
const gone = new HealthctlError('NOT_FOUND', 'no task');

/** A container whose shim refuses a signal, and a wait until containerd deletes the task. */
function withDyingShim(deletedAtMs: number) {
  const fake = createFakeContainer();
  const { clock, ctx } = fake;
  const tasks = {
    kill: () => Promise.reject(refused),
    wait: () => Promise.reject(clock.monotonic() < deletedAtMs ? refused : gone),
  };
  return { ...fake, ctx: { ...ctx, containerd: { ...ctx.containerd, tasks } } as unknown as ContainerContext };
}

test('a signal to a dying shim succeeds once containerd has deleted the task', async () => {
  const { ctx, clock } = withDyingShim(300);
  let isDone = false;
  const sent = sendSignal(ctx, 'c1', { signal: 15 }).then(() => {
    isDone = true;
  });
  await clock.advance(250);
  expect(isDone).toBe(false);
  await clock.advance(200);
  await sent;
});

test('a kill succeeds when the shim of the container dies', async () => {
  const { ctx, clock, view } = withDyingShim(300);
  const killed = killContainer(ctx, view());
  await clock.advance(3_000);
  await killed;
});

test('a signal fails with the error of the shim if the task stays', async () => {
  const { ctx, clock } = withDyingShim(Number.POSITIVE_INFINITY);
  const failed = expect(sendSignal(ctx, 'c1', { signal: 15 })).rejects.toBe(refused);
  await clock.advance(6_000);
  await failed;
});
