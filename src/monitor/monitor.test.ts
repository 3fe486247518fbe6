import { afterEach, describe, expect, test } from 'vitest';
import { aResult, aState, T0 } from '../../test/builders/health.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { createFakeHost } from '../../test/fakes/containerd-host.ts';
import type { ContainerContext } from '../container/context.ts';
import type { EventFact } from '../containerd/events.ts';
import type { Tasks } from '../containerd/tasks.ts';
import { TICK_MS } from '../health/state.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { ContainerProber } from '../probe/container-prober.ts';
import { runIdOf } from '../record/view.ts';
import { readStat } from '../system/proc.ts';
import type { Exit } from './hooks.ts';
import { createHostModel, type KnownContainer } from './host-model.ts';
import { knownHealthOf } from './known-container.ts';
import { createMonitor } from './monitor.ts';

const INTERVAL_MS = 10_000;
const CHECK = { 'nerdctl/healthcheck': `{"Test":["CMD","true"],"Interval":${INTERVAL_MS * 1e6},"Retries":2}` };
/** Two processes that exist. */
const [FIRST, SECOND] = [process.pid, process.ppid];

const runOf = (pid: number): string => {
  const stat = readStat(pid);
  return stat ? runIdOf('boot', stat) : '';
};
/** The label that records a start of ours: the run, and the time at which it began. */
const startedAt = (ms: number, pid = FIRST) => ({
  'healthctl/started': JSON.stringify({ At: new Date(T0 + ms).toISOString(), Run: runOf(pid) }),
});
const mirror = (status: string) => ({
  'nerdctl/healthstate': JSON.stringify({ Status: status, FailingStreak: 0, InStartPeriod: false, Run: runOf(FIRST) }),
});

interface Setting {
  readonly namespaces?: readonly string[];
  readonly maxChecks?: number;
  readonly tookMs?: number;
  readonly isCheckedElsewhere?: (container: KnownContainer) => boolean;
  /** How long the process FIRST has run when the test begins. */
  readonly ranForMs?: number;
  /** Whether the start of a check is never answered. */
  readonly areShimsSilent?: boolean;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The starts of this containerd end only when they are cancelled. */
const withSilentShims =
  (contextOf: (namespace: string) => ContainerContext) =>
  (namespace: string): ContainerContext => {
    const context = contextOf(namespace);
    const start: Tasks['start'] = (_, options) =>
      new Promise((_resolve, reject) => {
        const giveUp = () => reject(new HealthctlError('ABORTED', 'start was cancelled'));
        if (options?.signal?.aborted) giveUp();
        options?.signal?.addEventListener('abort', giveUp, { once: true });
      });
    const { containerd } = context;
    return { ...context, containerd: { ...containerd, tasks: { ...containerd.tasks, start } } };
  };

function setUp(setting: Setting = {}) {
  const { namespaces = [], maxChecks = 4, tookMs = 0, isCheckedElsewhere = () => false, ranForMs = 0 } = setting;
  const { areShimsSilent = false } = setting;
  const fakeClock = createFakeClock(T0);
  const firstTicks = readStat(FIRST)?.startTimeTicks ?? 0;
  const boot = () => firstTicks * TICK_MS + ranForMs + fakeClock.monotonic();
  const clock = Object.defineProperties(
    { boot },
    { ...Object.getOwnPropertyDescriptors(fakeClock), boot: { value: boot } },
  ) as typeof fakeClock;
  const host = createFakeHost(clock);
  const probes: { readonly id: string; readonly atMs: number }[] = [];
  const exits: [id: string, exit: Exit | undefined][] = [];
  const gone: string[] = [];
  const statuses: [id: string, status: string][] = [];
  const results: [id: string, status: string, output: string][] = [];
  const listed: number[] = [];
  const warnings: string[] = [];
  const now: { code: number; failure: unknown } = { code: 0, failure: undefined };
  const prober: ContainerProber = {
    release: async () => {},
    close: async () => {},
    probe: async ({ containerId }, _, signal) => {
      const startMs = clock.now();
      probes.push({ id: containerId, atMs: clock.monotonic() });
      if (now.failure) throw now.failure;
      if (tookMs > 0) await clock.sleep(tookMs, signal);
      const { code } = now;
      return {
        outcome: signal?.aborted ? { kind: 'cancelled' } : { kind: 'exited', code, output: '' },
        ...{ startMs, endMs: clock.now() },
      };
    },
  };
  const contextOf = areShimsSilent ? withSilentShims(host.contextOf) : host.contextOf;
  const momentOf = () => ({ nowMs: clock.now(), bootId: 'boot', bootMs: clock.boot() });
  const monitor = createMonitor({
    model: createHostModel(momentOf),
    ...{ containerd: host.containerd, contextOf, clock, namespaces, isCheckedElsewhere },
    budgets: { maxStarts: 4, maxInFlight: maxChecks, exec: 'fresh' },
    log: { info: (text) => warnings.push(text), warn: (text) => warnings.push(text), debug: () => {} },
    momentOf,
    proberOf: ({ containerd: { tasks } }) => ({
      ...prober,
      probe: async (target, command, signal) => {
        if (areShimsSilent) await tasks.start({ containerId: target.containerId, execId: 'e' }, { timeoutMs: 30_000 });
        return prober.probe(target, command, signal);
      },
    }),
    hooks: {
      onListed: (_, records) => listed.push(records.length),
      onEvent: () => {},
      onExit: async ({ id }, exit) => void exits.push([id, exit]),
      onGone: async ({ id }) => void gone.push(id),
      onResult: ({ id }, { state: { status }, result: { output } }) => results.push([id, status, output]),
      onStatus: ({ id }, { status }) => statuses.push([id, status]),
      onChange: () => {},
    },
  });
  const made = {
    ...{ clock, host, monitor, probes, exits, gone, statuses, results, listed, warnings, now },
    emit: async (event: EventFact, namespace = 'default') => {
      host.exchange.emit({ ...event, namespace, atMs: clock.now() });
      await clock.advance(0);
    },
    /** Starts a container, with containerd's event. */
    start: async (id: string, pid = FIRST, labels: Readonly<Record<string, string>> = CHECK) => {
      host.put(id, labels);
      await made.emit({ kind: 'container-created', id, image: '' });
      host.put(id, labels, { pid });
      await made.emit({ kind: 'task-started', id, pid });
    },
    exit: (id: string, pid = FIRST, exitStatus = 0) =>
      made.emit({ kind: 'task-exited', id, pid, exitStatus, exitedAtMs: clock.now() }),
    times: () => probes.map(({ atMs }) => atMs),
    health: (key: string) => {
      const container = monitor.model.get(key);
      return container && knownHealthOf(container)?.status;
    },
  };
  closers.push(async () => {
    const stopped = monitor.stop();
    await clock.advance(1_000);
    await stopped;
    // After each test nothing may be left.
    expect([clock.sleepers, monitor.counts()]).toEqual([0, { inFlight: 0, waiting: 0, checked: 0, troubled: 0 }]);
  });
  return made;
}

describe('when it starts', () => {
  test('adopts a running container with its stored state, on the schedule of the last check', async () => {
    const { clock, host, monitor, times, health, statuses } = setUp();
    const labels = { ...CHECK, ...startedAt(-60_000) };
    host.put('c1', labels, {});
    const state = aState({ run: runOf(FIRST) });
    const subject = { namespace: 'default', id: 'c1', labels };
    await host.store.update(subject, () => ({ result: aResult(-4_010), state }), { retries: 2 });
    await monitor.start();
    expect([monitor.isLive, health('default/c1'), monitor.counts().checked]).toEqual([true, 'healthy', 1]);
    expect(host.storeAccesses).toEqual([{ what: 'mirror', atMs: 0 }]);
    await clock.advance(INTERVAL_MS);
    expect(times()).toEqual([6_000]);
    expect(statuses).toEqual([]);
  });

  test('spreads a thousand overdue checks over their interval, with one sleeper for all', async () => {
    const { clock, host, monitor, listed } = setUp({ ranForMs: 3_600_000 });
    const labels = { ...CHECK, ...startedAt(-3_600_000) };
    for (let i = 0; i < 1_000; i += 1) host.put(`c${i}`, labels, {});
    await monitor.start();
    expect([listed, monitor.model.size, monitor.counts().checked]).toEqual([[1_000], 1_000, 1_000]);
    expect(clock.sleepers).toBe(2); // and one for the next list
    const dueMs = [...monitor.model.all()].map(({ id }) => monitor.nextCheckAtMs(`default/${id}`) ?? -1);
    const tenths = Array.from({ length: 10 }, (_, tenth) => dueMs.filter((ms) => Math.floor(ms / 1_000) === tenth));
    for (const tenth of tenths) {
      expect(tenth.length).toBeGreaterThan(60);
      expect(tenth.length).toBeLessThan(140);
    }
    expect(host.requests.filter((what) => what.startsWith('get') || what.startsWith('find'))).toEqual([]);
  }, 60_000);

  test('reports ends that happened before, and monitors the configured namespaces', async () => {
    const { host, monitor, exits, start } = setUp({ namespaces: ['default'] });
    host.put('c1', CHECK, { status: 'stopped', exitStatus: 3, exitedAtMs: T0 - 5 });
    host.put('x1', CHECK, {}, 'k8s.io');
    await monitor.start();
    expect(exits).toEqual([['c1', { code: 3, atMs: T0 - 5 }]]);
    expect([...monitor.model.all()].map(({ id }) => id)).toEqual(['c1']);
    host.exchange.emit({ kind: 'task-started', id: 'x1', pid: FIRST, namespace: 'k8s.io' });
    await start('c2');
    expect([monitor.model.size, monitor.counts().checked]).toEqual([2, 1]);
  });

  test('requests a container again if its shim did not answer in time', async () => {
    const { clock, host, monitor, exits, times } = setUp();
    host.put('c1', CHECK, { status: 'unknown', pid: 0 });
    await monitor.start();
    expect([monitor.counts().checked, exits]).toEqual([0, []]);
    await clock.advance(2_500);
    expect(monitor.counts().checked).toBe(0);
    host.put('c1', { ...CHECK, ...startedAt(0) }, {});
    await clock.advance(INTERVAL_MS);
    expect([monitor.counts().checked, exits, times()]).toEqual([1, [], [INTERVAL_MS]]);
  });

  test('runs without an answer from containerd, and finds everything later', async () => {
    const { clock, host, monitor, warnings } = setUp();
    host.put('c1', CHECK, {});
    host.disconnect();
    await monitor.start();
    expect([monitor.isLive, monitor.model.size]).toEqual([false, 0]);
    host.reconnect();
    await clock.advance(200);
    expect([monitor.isLive, monitor.counts().checked]).toEqual([true, 1]);
    expect(warnings).toEqual([expect.stringContaining('lost containerd'), expect.stringContaining('is back')]);
  });
});

describe('at events', () => {
  test('plans the first check one interval after a start, and reports a change of status', async () => {
    const { clock, monitor, start, times, statuses, health } = setUp();
    await monitor.start();
    await clock.advance(500);
    await start('c1');
    expect(monitor.nextCheckAtMs('default/c1')).toBe(500 + INTERVAL_MS);
    expect(health('default/c1')).toBe('starting');
    await clock.advance(2 * INTERVAL_MS);
    expect(times()).toEqual([500 + INTERVAL_MS, 500 + 2 * INTERVAL_MS]);
    expect(statuses).toEqual([['c1', 'healthy']]);
  });

  test('a pause stops checks, a resume plans the next after one interval, an exit ends them', async () => {
    const { clock, monitor, start, emit, exit, times, exits, health } = setUp();
    await monitor.start();
    await start('c1');
    await clock.advance(INTERVAL_MS);
    await emit({ kind: 'task-paused', id: 'c1' });
    await clock.advance(5 * INTERVAL_MS);
    expect([times(), health('default/c1'), monitor.counts().checked]).toEqual([[INTERVAL_MS], 'healthy', 1]);
    await emit({ kind: 'task-resumed', id: 'c1' });
    await clock.advance(INTERVAL_MS);
    expect(times()).toEqual([INTERVAL_MS, 7 * INTERVAL_MS]);
    await exit('c1', FIRST, 7);
    await clock.advance(5 * INTERVAL_MS);
    expect([times().length, health('default/c1'), monitor.counts().checked]).toEqual([2, 'unhealthy', 0]);
    expect(exits).toEqual([['c1', { code: 7, atMs: T0 + 7 * INTERVAL_MS }]]);
  });

  test('an exit cancels the check in flight', async () => {
    const { clock, monitor, start, exit, statuses, probes } = setUp({ tookMs: 5_000 });
    await monitor.start();
    await start('c1');
    await clock.advance(INTERVAL_MS + 100);
    expect(monitor.counts().inFlight).toBe(1);
    await exit('c1');
    await clock.advance(INTERVAL_MS);
    expect([monitor.counts().inFlight, statuses, probes.length]).toEqual([0, [], 1]);
  });

  test('a restart begins anew: status starting, first check after one interval', async () => {
    const { clock, monitor, start, exit, health, times } = setUp();
    await monitor.start();
    await start('c1');
    await clock.advance(INTERVAL_MS + 1_000);
    expect(health('default/c1')).toBe('healthy');
    await exit('c1');
    await start('c1', SECOND);
    expect([health('default/c1'), monitor.counts().checked]).toEqual(['starting', 1]);
    await clock.advance(INTERVAL_MS);
    expect(times()).toEqual([INTERVAL_MS, 2 * INTERVAL_MS + 1_000]);
    await exit('c1', FIRST); // a late event about the earlier run
    expect([health('default/c1'), monitor.counts().checked]).toEqual(['healthy', 1]);
  });

  test('reads the health at once when another tool changed the labels, and corrects the mirror a second later', async () => {
    const { clock, host, monitor, start, emit, health } = setUp();
    await monitor.start();
    await start('c1');
    await clock.advance(INTERVAL_MS);
    host.storeAccesses.length = 0;
    const subject = { namespace: 'default', id: 'c1', labels: CHECK };
    const state = aState({ status: 'unhealthy', failingStreak: 2, run: runOf(FIRST) });
    await host.store.update(subject, () => ({ result: aResult(9_000, 1), state }), { retries: 2 });
    await emit({ kind: 'container-updated', id: 'c1', labels: { ...CHECK, ...mirror('starting') } });
    expect(health('default/c1')).toBe('unhealthy');
    expect(host.storeAccesses).toEqual([{ what: 'read', atMs: INTERVAL_MS }]);
    await clock.advance(1_500);
    expect(host.storeAccesses.slice(1)).toEqual([
      { what: 'read', atMs: INTERVAL_MS + 100 },
      { what: 'mirror', atMs: INTERVAL_MS + 1_000 },
    ]);
  });

  test('ignores labels that match the known state', async () => {
    const { clock, host, monitor, start, emit } = setUp();
    await monitor.start();
    await start('c1');
    await clock.advance(INTERVAL_MS);
    host.storeAccesses.length = 0;
    await emit({ kind: 'container-updated', id: 'c1', labels: { ...CHECK, ...mirror('healthy') } });
    await clock.advance(2_000);
    expect(host.storeAccesses).toEqual([]);
  });

  test('begins and ends checks when a label brings or removes one', async () => {
    const { clock, host, monitor, start, emit, times } = setUp();
    await monitor.start();
    await start('c1', FIRST, {});
    expect(monitor.counts().checked).toBe(0);
    host.put('c1', CHECK, {});
    await emit({ kind: 'container-updated', id: 'c1', labels: CHECK });
    expect(monitor.counts().checked).toBe(1);
    await clock.advance(INTERVAL_MS);
    expect(times().length).toBe(1);
    await emit({ kind: 'container-updated', id: 'c1', labels: {} });
    await clock.advance(5 * INTERVAL_MS);
    expect([times().length, monitor.counts().checked]).toEqual([1, 0]);
  });

  test('forgets and reports a deleted container', async () => {
    const { monitor, host, start, emit, gone } = setUp();
    await monitor.start();
    await start('c1');
    host.remove('c1');
    await emit({ kind: 'container-deleted', id: 'c1' });
    expect([gone, monitor.model.size, monitor.counts().checked]).toEqual([['c1'], 0, 0]);
  });

  test('a container whose record cannot be read does no harm', async () => {
    const { clock, host, monitor, emit } = setUp();
    await monitor.start();
    host.put('c1', CHECK, {});
    const release = host.holdAnswers();
    await emit({ kind: 'container-created', id: 'c1', image: '' });
    host.disconnect();
    release();
    await clock.advance(0);
    host.reconnect();
    await clock.advance(1_000);
    expect([monitor.isLive, monitor.counts().checked]).toEqual([true, 1]);
  });
});

describe('drops an answer that an event has made outdated', () => {
  test('for one container', async () => {
    const { clock, host, monitor, start, exit } = setUp();
    await monitor.start();
    await start('c1');
    const release = host.holdAnswers();
    const refreshed = monitor.refresh({ namespace: 'default', id: 'c1' });
    host.put('c1', CHECK, { status: 'stopped' });
    await exit('c1', FIRST, 1);
    release();
    await clock.advance(0);
    await refreshed;
    expect(monitor.model.get('default/c1')).toMatchObject({ run: undefined, task: { status: 'stopped' } });
    expect(monitor.counts().checked).toBe(0);
  });

  test('a list without the state of a task ends no run', async () => {
    const { clock, host, monitor, start, exits, times, health } = setUp();
    await monitor.start();
    await start('c1');
    host.put('c1', { ...CHECK, ...startedAt(0) }, { status: 'unknown', pid: 0 });
    await clock.advance(600_000);
    expect([exits, monitor.counts().checked, health('default/c1')]).toEqual([[], 1, 'healthy']);
    expect(times().length).toBe(60);
    host.put('c1', { ...CHECK, ...startedAt(0) }, { status: 'stopped', exitStatus: 3, exitedAtMs: T0 + 600_500 });
    await clock.advance(2_000);
    expect([exits, monitor.counts().checked]).toEqual([[['c1', { code: 3, atMs: T0 + 600_500 }]], 0]);
  });

  test('for the list every ten minutes', async () => {
    const { clock, host, monitor, start, exit, listed } = setUp();
    await monitor.start();
    await start('c1');
    await start('c2');
    await clock.advance(10 * 60_000 - 1);
    const release = host.holdAnswers();
    await clock.advance(1);
    host.put('c1', CHECK, { status: 'stopped' });
    await exit('c1');
    release();
    await clock.advance(0);
    expect(listed.at(-1)).toBe(2);
    expect(monitor.model.get('default/c1')?.run).toBeUndefined();
    expect(monitor.counts().checked).toBe(1);
  });
});

test('when containerd comes back, lists again, forgets removed containers, reports ends, and continues the others', async () => {
  const { clock, host, monitor, start, exits, gone, listed, now, health } = setUp();
  await monitor.start();
  for (const id of ['c1', 'c2', 'c3']) await start(id);
  await clock.advance(INTERVAL_MS);
  host.disconnect();
  now.failure = new HealthctlError('UNAVAILABLE', 'containerd does not answer');
  await clock.advance(15_000);
  expect([monitor.isLive, monitor.counts().checked]).toEqual([false, 3]);
  host.put('c2', CHECK, { status: 'stopped', exitStatus: 9, exitedAtMs: T0 + 12_000 });
  host.remove('c3');
  now.failure = undefined;
  host.reconnect();
  await clock.advance(5_000);
  expect([monitor.isLive, monitor.counts().checked, listed.at(-1)]).toEqual([true, 1, 2]);
  expect([exits, gone]).toEqual([[['c2', { code: 9, atMs: T0 + 12_000 }]], ['c3']]);
  expect([health('default/c1'), health('default/c2'), health('default/c3')]).toEqual([
    'healthy',
    'unhealthy',
    undefined,
  ]);
});

test('a stop during checks leaves no check, sleeper or appointment', async () => {
  const { clock, monitor, start, probes } = setUp({ tookMs: 5_000, maxChecks: 1 });
  await monitor.start();
  for (const id of ['c1', 'c2', 'c3']) await start(id);
  await clock.advance(INTERVAL_MS + 1);
  expect(monitor.counts()).toEqual({ inFlight: 1, waiting: 2, checked: 3, troubled: 0 });
  await monitor.stop();
  expect([clock.sleepers, monitor.counts()]).toEqual([0, { inFlight: 0, waiting: 0, checked: 0, troubled: 0 }]);
  await clock.advance(20 * INTERVAL_MS);
  expect(probes.length).toBe(1);
});

describe('checks', () => {
  test('a check by hand does not move the schedule, and updates the known state', async () => {
    const { clock, monitor, start, now, statuses } = setUp();
    await monitor.start();
    await start('c1');
    now.code = 1;
    const at = { namespace: 'default', id: 'c1' };
    const { signal } = new AbortController();
    expect(await monitor.checkNow(at, signal)).toMatchObject({ kind: 'recorded', state: { failingStreak: 1 } });
    expect(await monitor.checkNow(at, signal)).toMatchObject({ state: { status: 'unhealthy' }, statusChanged: true });
    expect(statuses).toEqual([['c1', 'unhealthy']]);
    expect(monitor.nextCheckAtMs('default/c1')).toBe(INTERVAL_MS);
    await expect(monitor.checkNow({ ...at, id: 'nope' }, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await clock.advance(0);
  });

  test('a check that cannot be made is logged once, until one succeeds', async () => {
    const { clock, monitor, start, now, warnings } = setUp();
    await monitor.start();
    await start('c1');
    now.failure = new Error('no space');
    await clock.advance(3 * INTERVAL_MS);
    expect(warnings).toEqual(['container default/c1: its check could not be made: no space']);
    expect(monitor.counts().troubled).toBe(1);
    now.failure = undefined;
    await clock.advance(INTERVAL_MS);
    expect(monitor.counts().troubled).toBe(0);
    now.failure = new Error('no space');
    await clock.advance(INTERVAL_MS);
    expect(warnings.length).toBe(2);
  });

  test('makes no check that another tool makes, and reads its outcome', async () => {
    const { clock, host, monitor, start, probes } = setUp({ isCheckedElsewhere: () => true });
    await monitor.start();
    await start('c1');
    await clock.advance(2 * INTERVAL_MS);
    expect([probes, host.storeAccesses.map(({ what }) => what)]).toEqual([[], ['read', 'read']]);
  });

  test('a check by nerdctl has the same consequences as ours, once', async () => {
    const { clock, host, monitor, start, emit, statuses, results } = setUp({ isCheckedElsewhere: () => true });
    await monitor.start();
    await start('c1');
    const subject = { namespace: 'default', id: 'c1', labels: CHECK };
    const label = (status: string) => ({
      'nerdctl/healthstate': JSON.stringify({ Status: status, FailingStreak: 2, InStartPeriod: false }),
    });
    /** Like nerdctl: writes the label, and the line in the file a moment later. */
    const checkByNerdctl = async (status: 'healthy' | 'unhealthy', output: string) => {
      await emit({ kind: 'container-updated', id: 'c1', labels: { ...CHECK, ...label(status) } });
      await clock.advance(50);
      const result = aResult(clock.monotonic(), status === 'healthy' ? 0 : 1, output);
      const state = aState({ status, failingStreak: 2, run: undefined });
      await host.store.update(subject, () => ({ result, state }), { retries: 2 });
    };
    await checkByNerdctl('unhealthy', 'refused');
    await clock.advance(100);
    expect([statuses, results]).toEqual([[['c1', 'unhealthy']], [['c1', 'unhealthy', 'refused']]]);
    await clock.advance(3 * INTERVAL_MS);
    expect([statuses.length, results.length]).toEqual([1, 1]);
    await checkByNerdctl('unhealthy', 'refused again');
    await checkByNerdctl('healthy', 'fine');
    await clock.advance(2_000);
    expect([statuses.slice(1), results.at(-1)]).toEqual([[['c1', 'healthy']], ['c1', 'healthy', 'fine']]);
  });

  test('cancels the check of a released container', async () => {
    const { clock, monitor, start } = setUp({ tookMs: 5_000 });
    await monitor.start();
    await start('c1');
    await clock.advance(INTERVAL_MS + 1);
    const released = monitor.release({ namespace: 'default', id: 'c1' });
    await clock.advance(0);
    await released;
    expect(monitor.counts()).toEqual({ inFlight: 0, waiting: 0, checked: 0, troubled: 0 });
  });
});

test('a shim that does not answer delays the end of the monitor by three seconds', async () => {
  const { clock, monitor, start } = setUp({ areShimsSilent: true });
  await monitor.start();
  await start('c1');
  await clock.advance(INTERVAL_MS);
  expect(monitor.counts().inFlight).toBe(1);
  let isOver = false;
  const stopped = monitor.stop().then(() => {
    isOver = true;
  });
  await clock.advance(2_900);
  expect(isOver).toBe(false);
  await clock.advance(100);
  expect(isOver).toBe(true);
  await stopped;
});
