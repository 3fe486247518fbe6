import { describe, expect, test } from 'vitest';
import { aTask } from '../../../test/builders/container.ts';
import { createFakeContainer, outcomeOf } from '../../../test/fakes/container.ts';
import { HEALTH_STATUS_TOPIC } from '../../events/own-events.ts';
import { restartNote } from './comeback.ts';
import type { WaitCondition } from './wait-condition.ts';
import { waitFor, watchFor } from './wait-for.ts';

const CHECK = { 'nerdctl/healthcheck': '{"Test":["CMD-SHELL","true"]}' };

function setUp(...given: Parameters<typeof createFakeContainer>) {
  const fake = createFakeContainer(...given);
  const { ctx, view, abort } = fake;
  const wait = (conditions: WaitCondition[], timeoutMs?: number) =>
    outcomeOf(
      waitFor(ctx, view(), conditions, { signal: abort.signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
    );
  return { ...fake, wait };
}

describe('waiting for health', () => {
  test('an event leads to a read of the state, which decides', async () => {
    const { wait, settle, exchange, setHealth, remaining } = setUp();
    const waiting = wait(['healthy']);
    await settle();
    // An event with a wrong status, and one about another container.
    await exchange.publish({ topic: HEALTH_STATUS_TOPIC, json: '{"ID":"c1","Status":"healthy","FailingStreak":0}' });
    await exchange.publish({ topic: HEALTH_STATUS_TOPIC, json: '{"ID":"c2","Status":"healthy","FailingStreak":0}' });
    await settle();
    await setHealth('unhealthy');
    await settle();
    expect(remaining()).toEqual([1, 0]);
    await setHealth('healthy');
    expect(await waiting).toEqual({ condition: 'healthy', exitCode: undefined });
    expect(remaining()).toEqual([0, 0]);
  });

  test('ignores events about other containers', async () => {
    const { wait, settle, exchange, reads, abort } = setUp();
    const waiting = wait(['healthy']);
    await settle();
    exchange.emit({ kind: 'exec-added', id: 'c1', execId: 'sh' });
    exchange.emit({ kind: 'task-started', id: 'c2', pid: 9 });
    exchange.emit({ kind: 'task-paused', id: 'c1', namespace: 'other' });
    await settle();
    expect(reads()).toBe(1);
    abort.abort();
    expect(await waiting).toMatchObject({ code: 'ABORTED' });
  });

  test('the error names an exit that comes first', async () => {
    const { wait, settle, exit, remaining } = setUp();
    const waiting = wait(['healthy']);
    await settle();
    exit(3);
    expect(await waiting).toMatchObject({
      code: 'CONFLICT',
      message: 'container web exited (3) before it was healthy',
    });
    expect(remaining()).toEqual([0, 0]);
  });

  test('the error names a removal that comes first, and an exit before the wait', async () => {
    const first = setUp();
    const waiting = first.wait(['unhealthy']);
    await first.settle();
    first.exchange.emit({ kind: 'container-deleted', id: 'c1' });
    expect(await waiting).toMatchObject({ message: 'container web was removed before it was unhealthy' });
    const second = setUp(CHECK, { status: 'stopped', exitStatus: 4, exitedAtMs: 5 });
    expect(await second.wait(['healthy'])).toMatchObject({
      message: 'container web exited (4) before it was healthy',
    });
  });

  test('fails at once for a container without a check', async () => {
    const { wait, remaining } = setUp({});
    expect(await wait(['healthy', 'exited'])).toMatchObject({
      code: 'CONFLICT',
      message: 'container has no health check configured',
    });
    expect(remaining()).toEqual([0, 0]);
  });

  test('fails at the time limit', async () => {
    const { wait, clock, remaining } = setUp();
    const waiting = wait(['healthy', 'unhealthy'], 5_000);
    await clock.advance(5_001);
    expect(await waiting).toMatchObject({
      code: 'TIMEOUT',
      message: 'container web is not healthy or unhealthy after 5s',
    });
    expect(remaining()).toEqual([0, 0]);
  });
});

describe('waiting over an end that a restart follows', () => {
  function supervised(labels: Readonly<Record<string, string>>) {
    const fake = createFakeContainer({ ...CHECK, ...labels });
    const monitor = { isThere: true };
    const { ctx, view, abort, current, exchange } = fake;
    const options = { signal: abort.signal, hasMonitor: async () => monitor.isThere };
    const wait = (conditions: WaitCondition[]) => outcomeOf(waitFor(ctx, view(), conditions, options));
    const end = (exitStatus: number) => {
      fake.exit(exitStatus);
      current.task = aTask({ status: 'stopped', exitStatus, exitedAtMs: fake.clock.now() });
    };
    const start = () => {
      current.task = aTask();
      exchange.emit({ kind: 'task-started', id: 'c1', pid: process.pid });
    };
    return { ...fake, wait, end, start, monitor };
  }
  const exited = { code: 'CONFLICT', message: 'container web exited (3) before it was healthy' };

  test('with a restart policy, waits until the container is healthy', async () => {
    const { wait, end, start, settle, setHealth, clock, remaining } = supervised({ 'healthctl/restart': 'always' });
    const waiting = wait(['healthy']);
    await settle();
    end(3);
    await clock.advance(5_000);
    start();
    await settle();
    await setHealth('healthy');
    expect(await waiting).toMatchObject({ condition: 'healthy' });
    expect(remaining()).toEqual([0, 0]);
  });

  test('with a restart policy, fails when no monitor runs any more', async () => {
    const { wait, end, settle, clock, monitor, remaining } = supervised({ 'healthctl/restart': 'always' });
    const waiting = wait(['healthy']);
    await settle();
    end(3);
    await clock.advance(2_500);
    monitor.isThere = false;
    await clock.advance(1_000);
    expect(await waiting).toMatchObject(exited);
    expect(remaining()).toEqual([0, 0]);
  });

  test('during a restart by a command, waits while that process lives', async () => {
    const restarting = supervised({ 'healthctl/stopped': restartNote('2026-01-01T00:00:00Z') });
    restarting.monitor.isThere = false;
    const waiting = restarting.wait(['healthy']);
    await restarting.settle();
    restarting.end(143);
    await restarting.clock.advance(3_000);
    restarting.start();
    await restarting.settle();
    await restarting.setHealth('healthy');
    expect(await waiting).toMatchObject({ condition: 'healthy' });

    const dead = supervised({ 'healthctl/stopped': '2026-01-01T00:00:00Z restarted by x:999999999:1' });
    const lost = dead.wait(['healthy']);
    await dead.settle();
    dead.end(3);
    expect(await lost).toMatchObject(exited);
  });

  test('fails at the end if a user stopped the container or the policy is exhausted', async () => {
    for (const labels of [
      { 'healthctl/restart': 'always', 'healthctl/stopped': '2026-01-01T00:00:00Z' },
      { 'healthctl/restart': 'no' },
    ]) {
      const { wait, end, settle } = supervised(labels);
      const waiting = wait(['healthy']);
      await settle();
      end(3);
      expect(await waiting).toMatchObject(exited);
    }
  });

  test('a wait for the end itself does not wait for the restart', async () => {
    const { wait, end, settle } = supervised({ 'healthctl/restart': 'always' });
    const waiting = wait(['healthy', 'exited']);
    await settle();
    end(3);
    expect(await waiting).toEqual({ condition: 'exited', exitCode: 3 });
  });
});

describe('waiting for an end', () => {
  test('takes the exit code from the event, even if the container runs again', async () => {
    const { wait, settle, exit } = setUp({});
    const waiting = wait(['exited']);
    await settle();
    exit(7);
    expect(await waiting).toEqual({ condition: 'exited', exitCode: 7 });
  });

  test('ignores the exit of an earlier run', async () => {
    const { wait, settle, exit, reads, abort } = setUp({});
    const waiting = wait(['exited']);
    await settle();
    exit(7, 999_999);
    await settle();
    expect(reads()).toBe(2);
    abort.abort();
    expect(await waiting).toMatchObject({ code: 'ABORTED' });
  });

  test('next-exit does not return an exit from before the wait', async () => {
    const { clock, wait, settle, exit, current, exchange } = setUp({}, undefined);
    current.task = aTask({ status: 'stopped', exitStatus: 1, exitedAtMs: clock.now() });
    const waiting = wait(['next-exit']);
    await settle();
    exchange.emit({ kind: 'task-exited', id: 'c1', pid: 5, exitStatus: 1, exitedAtMs: clock.now() - 1 });
    current.task = aTask();
    exchange.emit({ kind: 'task-started', id: 'c1', pid: process.pid });
    await settle();
    exit(2);
    expect(await waiting).toEqual({ condition: 'next-exit', exitCode: 2 });
  });

  test('next-exit returns an exit that is read before its event arrives', async () => {
    const { clock, wait, settle, current, exchange } = setUp({});
    const waiting = wait(['next-exit']);
    await settle();
    current.task = aTask({ status: 'stopped', exitStatus: 5, exitedAtMs: clock.now() });
    exchange.emit({ kind: 'task-started', id: 'c1', pid: process.pid });
    expect(await waiting).toEqual({ condition: 'next-exit', exitCode: 5 });
  });

  test('removed returns the exit code from before the removal', async () => {
    const { wait, settle, exit, exchange } = setUp({});
    const waiting = wait(['removed']);
    await settle();
    exit(137);
    exchange.emit({ kind: 'container-deleted', id: 'c1' });
    expect(await waiting).toEqual({ condition: 'removed', exitCode: 137 });
  });
});

describe('a wait that begins before the start', () => {
  async function started(conditions: readonly WaitCondition[], labels?: Readonly<Record<string, string>>) {
    const fake = createFakeContainer(labels);
    const { ctx, view, abort, current } = fake;
    const before = view();
    const watch = await watchFor(ctx, abort.signal);
    const wait = () => outcomeOf(waitFor(ctx, before, conditions, { signal: abort.signal, watch }));
    const remove = () => {
      current.isRemoved = true;
      fake.exchange.emit({ kind: 'container-deleted', id: 'c1' });
    };
    return { ...fake, wait, remove };
  }

  test.each<[readonly WaitCondition[], Readonly<Record<string, string>>, unknown]>([
    [['running', 'paused', 'exited'], {}, { condition: 'exited', exitCode: 7 }],
    [['healthy', 'unhealthy'], CHECK, { message: 'container web exited (7) before it was healthy' }],
  ])('%j: returns the exit code although task and container are gone', async (conditions, labels, expected) => {
    const { wait, exit, remove, remaining } = await started(conditions, labels);
    exit(7);
    remove();
    expect(await wait()).toMatchObject(expected as object);
    expect(remaining()).toEqual([0, 0]);
  });

  test('next-exit returns an exit since the view was read', async () => {
    const { ctx, clock, view, abort, current, exit, remaining } = createFakeContainer({}, undefined);
    const watch = await watchFor(ctx, abort.signal);
    const before = view();
    current.task = aTask({ status: 'stopped', exitStatus: 5, exitedAtMs: clock.now() });
    exit(5);
    const options = { signal: abort.signal, watch, isViewCurrent: true };
    expect(await outcomeOf(waitFor(ctx, before, ['next-exit'], options))).toMatchObject({ exitCode: 5 });
    expect(remaining()).toEqual([0, 0]);
  });

  test('ends at a removal without an exit', async () => {
    const { wait, remove, remaining } = await started(['healthy', 'unhealthy'], CHECK);
    remove();
    expect(await wait()).toMatchObject({ message: 'container web was removed before it was healthy' });
    expect(remaining()).toEqual([0, 0]);
  });

  test('fails for a container without a check', async () => {
    const { wait, remaining } = await started(['healthy'], {});
    expect(await wait()).toMatchObject({ message: 'container has no health check configured' });
    expect(remaining()).toEqual([0, 0]);
  });
});
