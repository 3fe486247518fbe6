import type { ContainerContext } from '../../src/container/context.ts';
import type { TaskRecord } from '../../src/containerd/tasks.ts';
import { HEALTH_STATUS_TOPIC } from '../../src/events/own-events.ts';
import type { HealthStatus } from '../../src/health/state.ts';
import { HealthctlError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { momentOf, viewOf } from '../../src/record/view.ts';
import { createMemoryHealthStore } from '../../src/store/memory-health-store.ts';
import { aRecord, aTask } from '../builders/container.ts';
import { aResult } from '../builders/health.ts';
import { createFakeClock } from './clock.ts';
import { createFakeExchange } from './events.ts';

const CHECKED = { 'nerdctl/healthcheck': '{"Test":["CMD-SHELL","true"]}' };

/** A container `web`. The test sets its task and its health. */
export function createFakeContainer(
  labels: Readonly<Record<string, string>> = CHECKED,
  task: Partial<TaskRecord> | undefined = {},
) {
  const [clock, exchange] = [createFakeClock(), createFakeExchange()];
  const record = aRecord({ id: 'c1', labels: { 'nerdctl/name': 'web', ...labels } });
  const current = { task: task && aTask(task), isRemoved: false };
  let reads = 0;
  const store = createMemoryHealthStore();
  const ctx = {
    clock,
    store,
    log: silentLogger,
    endNerdctlTimer: async () => true,
    dirs: { hostId: 'host', runRoot: '/nonexistent', dataRoot: '/nonexistent', nerdctlDataRoot: '/nonexistent' },
    containerd: {
      namespace: 'default',
      events: exchange,
      containers: {
        get: async () => {
          reads += 1;
          if (current.isRemoved) throw new HealthctlError('NOT_FOUND', 'no container c1');
          return record;
        },
      },
      tasks: { find: async () => current.task },
    },
  } as unknown as ContainerContext;
  const view = () => viewOf(record, current.task, momentOf(clock));
  const setHealth = async (status: HealthStatus, output = ''): Promise<void> => {
    const { taskView } = view();
    const run = taskView.kind === 'running' ? taskView.run.id : undefined;
    const state = { status, failingStreak: status === 'unhealthy' ? 3 : 0, inStartPeriod: false, run };
    await store.update(
      { namespace: 'default', id: 'c1', labels: record.labels },
      () => ({ result: aResult(0, status === 'unhealthy' ? 1 : 0, output), state }),
      { retries: 3 },
    );
    const json = JSON.stringify({ ID: 'c1', Status: status, FailingStreak: state.failingStreak });
    await exchange.publish({ topic: HEALTH_STATUS_TOPIC, json });
  };
  const abort = new AbortController();
  const settle = () => clock.advance(1);
  const exit = (exitStatus: number, pid = process.pid) =>
    exchange.emit({ kind: 'task-exited', id: 'c1', pid, exitStatus, exitedAtMs: clock.now() });
  const remaining = () => [exchange.subscribers, clock.sleepers];
  return { ...{ clock, exchange, current, setHealth, ctx, view, abort, settle, exit, remaining }, reads: () => reads };
}

/** The value of a promise, or its error. */
export const outcomeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: unknown) => error,
  );
