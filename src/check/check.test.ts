import { describe, expect, test } from 'vitest';
import { aConfig, aRun, aState, T0 } from '../../test/builders/health.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { Outcome } from '../health/result.ts';
import type { TaskView } from '../health/state.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { Prober } from '../probe/prober.ts';
import { createMemoryHealthStore } from '../store/memory-health-store.ts';
import { type CheckSubject, check } from './check.ts';

const running: TaskView = { kind: 'running', run: aRun() };
const another: TaskView = { kind: 'running', run: aRun({ id: 'boot:200:9000' }) };

/** A container whose task is as `tasks` says: one entry for each lookup; the last one repeats. */
function setUp(given: {
  outcome?: Outcome;
  tasks?: readonly (TaskView | 'gone')[];
  config?: Parameters<typeof aConfig>[0];
}) {
  const clock = createFakeClock(T0 + 60_000);
  const store = createMemoryHealthStore();
  const tasks = [...(given.tasks ?? [running])];
  const probed: string[][] = [];
  const prober: Prober = {
    probe: async (_, command) => {
      probed.push(command.kind === 'exec' ? [...command.args] : [command.kind]);
      return {
        outcome: given.outcome ?? { kind: 'exited', code: 0, output: 'ok\n' },
        startMs: clock.now(),
        endMs: clock.now() + 5,
      };
    },
  };
  const subject: CheckSubject = {
    namespace: 'ns',
    id: 'c1',
    labels: {},
    task: running,
    started: { ever: true, lastRun: undefined },
    config: aConfig(given.config),
    processJson: '{}',
  };
  const describeNow = async () => {
    const task = (tasks.length > 1 ? tasks.shift() : tasks[0]) ?? running;
    if (task === 'gone') throw new HealthctlError('NOT_FOUND', 'container "c1" not found');
    return { ...subject, task };
  };
  const run = async (signal?: AbortSignal) => {
    const report = check(
      { clock, store, prober, describe: describeNow, findTask: async () => (await describeNow()).task },
      subject,
      signal,
    );
    report.catch(() => undefined);
    await clock.advance(1000);
    expect(clock.sleepers).toBe(0);
    return report;
  };
  return { run, store, subject, probed };
}

describe('check', () => {
  test('makes a check, records its result, and reports the change of status', async () => {
    const { run, store, subject, probed } = setUp({});
    expect(await run()).toMatchObject({
      kind: 'recorded',
      statusChanged: true,
      result: { exitCode: 0, output: 'ok\n' },
    });
    expect(await run()).toMatchObject({ kind: 'recorded', statusChanged: false });
    expect(probed).toEqual([
      ['/bin/sh', '-c', 'true'],
      ['/bin/sh', '-c', 'true'],
    ]);
    const stored = await store.get(subject);
    expect(stored.state).toEqual(aState());
    expect(stored.log).toHaveLength(2);
  });

  test('a check in a new run keeps the log of the earlier run, but not its state', async () => {
    const { run, store, subject } = setUp({ outcome: { kind: 'exited', code: 1, output: '' } });
    const old = {
      result: { start: '2026-01-01T00:00:00Z', end: '2026-01-01T00:00:00Z', exitCode: 0, output: 'old' },
      state: aState({ run: 'earlier', failingStreak: 2 }),
    };
    await store.update(subject, () => old, { retries: 3 });
    expect(await run()).toMatchObject({ state: { status: 'starting', failingStreak: 1 } });
    expect((await store.get(subject)).log.map(({ output }) => output)).toEqual(['old', '']);
  });

  test('a native check uses its own probe', async () => {
    const { run, probed } = setUp({ config: { test: ['TCP', 'db:1'] } });
    expect(await run()).toMatchObject({ kind: 'recorded' });
    expect(probed).toEqual([['tcp']]);
  });

  test('a check whose program cannot be started fails and is recorded', async () => {
    const { run, probed } = setUp({ config: { test: ['CMD'], retries: 1 } });
    expect(await run()).toMatchObject({
      state: { status: 'unhealthy' },
      result: { exitCode: -1, output: 'healthcheck for container c1 has no command' },
    });
    expect(probed).toEqual([]);
  });

  const notStarted: Outcome = { kind: 'could-not-start', reason: 'no such program' };
  const killed: Outcome = { kind: 'exited', code: 137, output: '' };
  const late: Outcome = { kind: 'timed-out', timeoutNs: 1e9, output: '' };
  const failed: Outcome = { kind: 'exited', code: 1, output: '' };
  test.each<[string, Outcome, TaskView | 'gone', string]>([
    ['could not start, the run goes on', notStarted, running, 'recorded'],
    ['killed, the run goes on', killed, running, 'recorded'],
    ['timed out, the run goes on', late, running, 'recorded'],
    ['could not start, paused', notStarted, { kind: 'paused', run: aRun() }, 'paused'],
    ['killed, paused', killed, { kind: 'paused', run: aRun() }, 'paused'],
    ['timed out, paused', late, { kind: 'paused', run: aRun() }, 'paused'],
    ['killed, ended', killed, { kind: 'stopped' }, 'ended'],
    ['could not start, no task', notStarted, { kind: 'none' }, 'ended'],
    ['killed, removed', killed, 'gone', 'ended'],
    ['killed, another run', killed, another, 'ended'],
    ['an exit code of its own needs no confirmation', failed, { kind: 'stopped' }, 'recorded'],
    ['cancelled', { kind: 'cancelled' }, running, 'cancelled'],
  ])('%s', async (_, outcome, after, expected) => {
    const { run, store, subject } = setUp({ outcome, tasks: [running, after] });
    const report = await run();
    expect(report.kind === 'dropped' ? report.reason : report.kind).toBe(expected);
    expect((await store.get(subject)).log).toHaveLength(expected === 'recorded' ? 1 : 0);
  });

  test.each<[TaskView, string]>([
    [{ kind: 'paused', run: aRun() }, 'container is not running (status: paused)'],
    [{ kind: 'stopped' }, 'container is not running (status: stopped)'],
  ])('refuses %o', async (task, message) => {
    await expect(setUp({ tasks: [task] }).run()).rejects.toThrow(
      expect.objectContaining({ code: 'CONFLICT', message }),
    );
  });
});
