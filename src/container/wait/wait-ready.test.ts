import { expect, test } from 'vitest';
import { aTask } from '../../../test/builders/container.ts';
import { createFakeContainer, outcomeOf } from '../../../test/fakes/container.ts';
import { waitReady } from './wait-ready.ts';

function setUp(...given: Parameters<typeof createFakeContainer>) {
  const fake = createFakeContainer(...given);
  const { ctx, view, abort } = fake;
  const ready = (timeoutMs?: number) =>
    outcomeOf(waitReady(ctx, view(), { signal: abort.signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }));
  return { ...fake, ready };
}

test('is ready when it is healthy', async () => {
  const { ready, settle, setHealth } = setUp();
  const waiting = ready();
  await settle();
  await setHealth('healthy');
  expect(await waiting).toBeUndefined();
});

test('fails with the last output of the check when it is unhealthy', async () => {
  const { ready, settle, setHealth } = setUp();
  const waiting = ready();
  await settle();
  await setHealth('unhealthy', 'no route\nto host\n');
  expect(await waiting).toMatchObject({
    code: 'CONFLICT',
    exitCode: 1,
    message: 'container web is unhealthy',
    hint: 'the last check ended with 1:\nno route\nto host',
  });
});

test('fails when it exits first, and at the time limit', async () => {
  const first = setUp();
  const exiting = first.ready();
  await first.settle();
  first.exit(3);
  expect(await exiting).toMatchObject({
    message: 'container web exited (3) before it was healthy',
    hint: 'see: healthctl logs web',
    exitCode: 1,
  });
  const second = setUp();
  const late = second.ready(2_000);
  await second.clock.advance(2_001);
  expect(await late).toMatchObject({ message: 'container web is not healthy after 2s', exitCode: 1 });
});

test('without a check it is ready when it runs, and fails when it exits', async () => {
  expect(await setUp({}).ready()).toBeUndefined();
  const exited = setUp({}, { status: 'stopped', exitStatus: 1, exitedAtMs: 5 });
  expect(await exited.ready()).toMatchObject({ message: 'container web exited (1)', exitCode: 1 });
});

const healed = (onFailure: string) => ({
  'healthctl/healthcheck': JSON.stringify({ Test: ['CMD-SHELL', 'true'], OnFailure: onFailure }),
});

test('keeps waiting for an unhealthy container that a monitor restarts', async () => {
  const { ctx, view, abort, settle, setHealth, clock } = createFakeContainer(healed('restart'));
  const options = { signal: abort.signal, hasMonitor: async () => true };
  const warnings: string[] = [];
  const log = { ...ctx.log, warn: (text: string) => warnings.push(text) };
  const waiting = outcomeOf(waitReady({ ...ctx, log }, view(), options));
  await settle();
  await setHealth('unhealthy');
  await clock.advance(3_000);
  expect(warnings).toEqual(['container web is unhealthy: waiting for its restart']);
  await setHealth('healthy');
  expect(await waiting).toBeUndefined();
});

test('fails for an unhealthy container without a monitor, or after a stop for good', async () => {
  for (const [onFailure, isThere] of [
    ['restart', false],
    ['stop', true],
  ] as const) {
    const { ctx, view, abort, settle, setHealth } = createFakeContainer(healed(onFailure));
    const options = { signal: abort.signal, hasMonitor: async () => isThere };
    const waiting = outcomeOf(waitReady(ctx, view(), options));
    await settle();
    await setHealth('unhealthy');
    expect(await waiting).toMatchObject({ message: 'container web is unhealthy' });
  }
});

test('without a check it is ready when its policy has restarted it', async () => {
  const fake = createFakeContainer({ 'healthctl/restart': 'on-failure' }, { status: 'stopped', exitStatus: 1 });
  const { ctx, view, abort, current, exchange, settle } = fake;
  const options = { signal: abort.signal, hasMonitor: async () => true };
  const waiting = outcomeOf(waitReady(ctx, view(), options));
  await settle();
  current.task = aTask();
  exchange.emit({ kind: 'task-started', id: 'c1', pid: process.pid });
  expect(await waiting).toBeUndefined();
});
