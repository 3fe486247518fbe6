import { expect, test } from 'vitest';
import { aRecord, aTask } from '../../test/builders/container.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { Exit, TaskRecord } from '../containerd/tasks.ts';
import type { CallOptions } from '../containerd/transport.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { ContainerContext } from './context.ts';
import { viewWithExit } from './view-with-exit.ts';

const GONE = 2 ** 30;
const moment = { nowMs: Date.parse('2026-01-02T00:00:00Z'), bootId: 'boot', bootMs: 86_400_000 };

/** A containerd with this answer to `wait`, and the calls that it received. */
function setUp(answer: () => Exit) {
  const timeouts: (number | undefined)[] = [];
  const wait = async (_: unknown, { timeoutMs }: CallOptions = {}): Promise<Exit> => {
    timeouts.push(timeoutMs);
    return answer();
  };
  const clock = createFakeClock();
  const ctx = {
    clock,
    containerd: { namespace: 'ns', tasks: { wait } },
    dirs: { hostId: 'x', runRoot: '/nonexistent', dataRoot: '/nonexistent', nerdctlDataRoot: '/nonexistent' },
  } as unknown as ContainerContext;
  const see = (task: TaskRecord | undefined) => viewWithExit(ctx, { record: aRecord(), task, moment });
  return { timeouts, see, clock };
}

const failing = (code: 'NOT_FOUND' | 'TIMEOUT' | 'UNAVAILABLE' | 'UNKNOWN') => () => {
  throw new HealthctlError(code, 'no');
};

test('if the process is gone before containerd knows, waits for its exit code', async () => {
  const { timeouts, see } = setUp(() => ({ status: 3, atMs: 5 }));
  expect(await see(aTask({ pid: GONE }))).toMatchObject({ state: 'exited', exit: { code: 3, atMs: 5 } });
  expect(timeouts).toEqual([2_000]);
});

test.each([
  ['the shim has died, and the task with it', 'NOT_FOUND', 'exited'],
  ['containerd never notices', 'TIMEOUT', 'exited'],
] as const)('a process that is gone counts as ended: %s', async (_, code, state) => {
  expect((await setUp(failing(code)).see(aTask({ pid: GONE }))).state).toBe(state);
});

test('while the shim is dying, asks containerd again, for two seconds at most', async () => {
  const { timeouts, see, clock } = setUp(failing('UNKNOWN'));
  const seen = see(aTask({ pid: GONE }));
  await clock.advance(3_000);
  expect(await seen).toMatchObject({ state: 'exited', exit: { code: 255 } });
  expect(timeouts.length).toBeGreaterThan(2);
});

test('passes on every other error', async () => {
  await expect(setUp(failing('UNAVAILABLE')).see(aTask({ pid: GONE }))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test.each([
  ['no task', undefined],
  ['a task that runs', aTask()],
  ['a task that has ended', aTask({ status: 'stopped', pid: GONE })],
  ['a task that has not started yet', aTask({ status: 'created', pid: GONE })],
])('does not wait for an exit with %s', async (_, task) => {
  const { timeouts, see } = setUp(failing('UNAVAILABLE'));
  await see(task);
  expect(timeouts).toEqual([]);
});
