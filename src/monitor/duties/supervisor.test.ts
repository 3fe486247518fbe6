import { afterEach, describe, expect, test } from 'vitest';
import { aResult, aState, T0 } from '../../../test/builders/health.ts';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import type { HealthConfig } from '../../health/config.ts';
import type { HealthStatus } from '../../health/state.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { NEVER_RESTARTED, type RestartRecord } from '../../record/restart-record.ts';
import { type ContainerState, startNoteJson } from '../../record/view.ts';
import type { KnownContainer } from '../host-model.ts';
import type { ContainerActions } from './container-actions.ts';
import { createSupervisor } from './supervisor.ts';

const KEY = 'default/c1';
const CONFIG: HealthConfig = {
  test: ['CMD', 'true'],
  intervalNs: 1e9,
  timeoutNs: 1e9,
  startPeriodNs: 0,
  startIntervalNs: 1e9,
  retries: 1,
};

const startNote = (atMs: number, run: string) => startNoteJson(new Date(atMs).toISOString(), run);

interface Setting {
  readonly labels?: Readonly<Record<string, string>>;
  readonly config?: Partial<HealthConfig>;
  readonly record?: Partial<RestartRecord>;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** One running container, and actions that succeed unless told to fail. */
function setUp({ labels = {}, config, record = {} }: Setting = {}) {
  const clock = createFakeClock(T0);
  const done: string[] = [];
  const now = {
    labels: { 'healthctl/started': startNote(T0, 'r0'), ...labels } as Readonly<Record<string, string>>,
    state: 'running' as ContainerState,
    exitCode: 0,
    runs: 0,
    restarts: { ...NEVER_RESTARTED, ...record },
    failing: undefined as string | undefined,
    failure: undefined as HealthctlError | undefined,
    labelsAtStop: {} as Readonly<Record<string, string>>,
    survivesKill: false,
    isDiskFull: false,
    isStoppedAtStart: false,
    isGone: false,
  };
  const known = (): KnownContainer | undefined =>
    now.isGone
      ? undefined
      : ({
          ...{
            namespace: 'default',
            id: 'c1',
            record: { labels: now.labels },
            config: config && { ...CONFIG, ...config },
          },
          run: now.state === 'running' ? { id: `r${now.runs}`, startedAtMs: T0 } : undefined,
          task: {
            status: now.state === 'running' ? 'running' : 'stopped',
            exitStatus: now.exitCode,
            exitedAtMs: clock.now(),
          },
        } as unknown as KnownContainer);
  const act = async (what: string): Promise<void> => {
    done.push(`${what}@${clock.monotonic()}`);
    if (now.failing === what) throw now.failure ?? new HealthctlError('RUNTIME', `${what} failed`);
  };
  const end = (exitCode: number, labelsToo: Readonly<Record<string, string>> = {}): void => {
    now.labels = { ...now.labels, ...labelsToo };
    Object.assign(now, { state: 'exited', exitCode });
    supervisor.onChange(KEY);
  };
  const restarted: string[] = [];
  const actions: ContainerActions = {
    factsOf: async () => {
      if (now.isGone) throw new HealthctlError('NOT_FOUND', 'gone');
      return { state: now.state, labels: now.labels, exitCode: now.exitCode };
    },
    start: async () => {
      if (now.isStoppedAtStart) return false;
      await act('start');
      now.runs += 1;
      now.labels = { ...now.labels, 'healthctl/started': startNote(clock.now(), `r${now.runs}`) };
      now.state = 'running';
      supervisor.onChange(KEY);
      return true;
    },
    stop: async (_, { isForGood }) => {
      await act(isForGood ? 'stop' : 'stop-to-start');
      end(143, isForGood ? { 'healthctl/stopped': 'now' } : now.labelsAtStop);
    },
    kill: async () => {
      await act('kill');
      if (!now.survivesKill) end(137);
    },
    readRestarts: () => now.restarts,
    writeRestarts: (_, next) => {
      if (now.isDiskFull) throw new HealthctlError('EXHAUSTED', 'no space left');
      written.push(next);
      now.restarts = next;
    },
    publish: async (_, action, reason) => void done.push(`publish ${action}: ${reason}`),
    onRestarted: (_, reason) => void restarted.push(reason),
  };
  const warnings: string[] = [];
  const written: RestartRecord[] = [];
  const logged: string[] = [];
  const log = {
    debug: () => {},
    info: (text: string) => void logged.push(`${text}@${clock.monotonic()}`),
    warn: (text: string) => void warnings.push(text),
  };
  const supervisor = createSupervisor({ get: known, actions, clock, log });
  const result = async (status: HealthStatus, output = '') => {
    const container = known();
    if (container) supervisor.onResult(container, { state: aState({ status }), result: aResult(1_000, 0, output) });
    await clock.advance(0);
  };
  closers.push(async () => {
    await supervisor.stop();
    expect(clock.sleepers).toBe(0);
  });
  return { clock, done, now, end, result, supervisor, warnings, written, restarted, logged };
}

describe('with a restart policy', () => {
  test('restarts a container after its end, with growing delays, and counts restarts', async () => {
    const { clock, done, now, end, restarted, supervisor } = setUp({ labels: { 'healthctl/restart': 'always' } });
    for (let i = 0; i < 4; i += 1) {
      end(1);
      expect(supervisor.isRestarting(KEY)).toBe(true);
      await clock.advance(restartDelays[i] ?? 0);
      expect(supervisor.isRestarting(KEY)).toBe(false);
    }
    expect(done).toEqual(['start@1000', 'start@3000', 'start@7000', 'start@15000']);
    expect(restarted).toEqual(Array(4).fill('it ended with 1'));
    expect(now.restarts).toMatchObject({ count: 4, streak: 4, reason: 'it ended with 1', isPending: false });
  });

  test('restarts after a long run with the shortest delay again', async () => {
    const { clock, done, end } = setUp({ labels: { 'healthctl/restart': 'always' }, record: { streak: 8, count: 8 } });
    await clock.advance(600_000);
    end(1);
    await clock.advance(1_000);
    end(1);
    await clock.advance(2_000);
    expect(done).toEqual(['start@601000', 'start@603000']);
  });

  test.each([
    ['no', 1],
    ['on-failure', 0],
  ])('%s does not restart after exit %i', async (policy, exitCode) => {
    const { clock, done, end, supervisor } = setUp({ labels: { 'healthctl/restart': policy } });
    end(exitCode);
    expect(supervisor.isBusy).toBe(false);
    await clock.advance(600_000);
    expect(done).toEqual([]);
  });

  test("stops restarting at the policy's maximum", async () => {
    const { clock, done, end } = setUp({ labels: { 'healthctl/restart': 'on-failure:2' } });
    for (let i = 0; i < 4; i += 1) {
      end(1);
      await clock.advance(10_000);
    }
    expect(done.length).toBe(2);
  });

  test('a stop, start or removal by the user during the delay cancels the restart', async () => {
    const stopped = setUp({ labels: { 'healthctl/restart': 'always' } });
    stopped.end(1);
    stopped.end(1, { 'healthctl/stopped': 'now' });
    const started = setUp({ labels: { 'healthctl/restart': 'always' } });
    started.end(1);
    started.now.state = 'running';
    started.supervisor.onChange(KEY);
    const removed = setUp({ labels: { 'healthctl/restart': 'always' } });
    removed.end(1);
    removed.now.isGone = true;
    for (const { clock, done, warnings } of [stopped, started, removed]) {
      await clock.advance(10_000);
      expect([done, warnings]).toEqual([[], []]);
    }
  });

  test.each([
    // nerdctl writes this label on every container that it starts, stops, restarts or signals.
    [{ 'containerd.io/restart.explicitly-stopped': 'false' }, 1],
    [{ 'containerd.io/restart.explicitly-stopped': 'true' }, 0],
    [{ 'containerd.io/restart.policy': 'always' }, 1],
    // nerdctl started a container that healthctl had stopped.
    [{ 'healthctl/stopped': 'now', 'containerd.io/restart.explicitly-stopped': 'false' }, 1],
    [{ 'healthctl/stopped': 'now', 'containerd.io/restart.explicitly-stopped': 'true' }, 0],
  ])('labels of nerdctl that record no stop do not change the policy: %j', async (nerdctls, starts) => {
    const { clock, done, end } = setUp({ labels: { 'healthctl/restart': 'always' } });
    end(1, nerdctls);
    await clock.advance(1_000);
    expect(done.filter((each) => each.startsWith('start'))).toHaveLength(starts);
  });

  test('does not restart a container that containerd restarts', async () => {
    const labels = { 'healthctl/restart': 'always', 'containerd.io/restart.status': 'running' };
    const { clock, done, end } = setUp({ labels });
    end(1);
    await clock.advance(10_000);
    expect(done).toEqual([]);
  });

  test('retries a failed start, with growing delays', async () => {
    const { clock, done, now, end, warnings } = setUp({ labels: { 'healthctl/restart': 'always' } });
    now.failing = 'start';
    end(1);
    await clock.advance(7_000);
    expect(done).toEqual(['start@1000', 'start@3000', 'start@7000']);
    expect(warnings).toHaveLength(3);
  });
});

const restartDelays = [1_000, 2_000, 4_000, 8_000];

test('logs and counts a restart once it has happened, when the next delay is known', async () => {
  const { clock, now, end, supervisor, logged } = setUp({
    labels: { 'healthctl/restart': 'always', 'nerdctl/name': 'web' },
  });
  end(1);
  expect(supervisor.nextRestartAtMs(KEY)).toBe(T0 + 1_000);
  expect([logged, now.restarts.count]).toEqual([['container default/web (c1): it ended with 1; restart in 1 s@0'], 0]);
  await clock.advance(1_000);
  expect(logged[1]).toBe('container default/web (c1): restarted: it ended with 1@1000');
  expect([now.restarts.count, supervisor.nextRestartAtMs(KEY)]).toEqual([1, undefined]);
});

test("a user's stop at the last moment cancels the restart: nothing is logged or counted", async () => {
  const { clock, now, end, logged } = setUp({ labels: { 'healthctl/restart': 'always' } });
  now.isStoppedAtStart = true;
  end(1);
  await clock.advance(1_000);
  expect([logged.filter((text) => text.includes('restarted')), now.restarts.count, now.state]).toEqual([
    [],
    0,
    'exited',
  ]);
});

test('on a full disk, restarts and healing continue, counted in memory, with one warning', async () => {
  const { clock, done, now, end, result, warnings } = setUp({
    labels: { 'healthctl/restart': 'on-failure:3' },
    config: { onFailure: 'restart' },
  });
  now.isDiskFull = true;
  end(1);
  await clock.advance(1_000);
  await result('unhealthy');
  await clock.advance(2_000);
  end(1);
  await clock.advance(4_000);
  end(1); // uses up the policy's three retries
  await clock.advance(60_000);
  expect(done.filter((what) => what.startsWith('start'))).toEqual(['start@1000', 'start@3000', 'start@7000']);
  expect(warnings).toEqual([expect.stringContaining('its restarts are counted in memory only: no space left')]);
});

describe('with an action on unhealthy', () => {
  test('restart: acts after a delay, once per unhealthy period, and logs the last line of output', async () => {
    const { clock, done, now, result, restarted } = setUp({ config: { onFailure: 'restart' } });
    await result('healthy');
    await result('unhealthy', 'first\nrefused\n');
    await result('unhealthy', 'second');
    await clock.advance(1_000);
    expect(done).toEqual(['stop-to-start@1000', 'start@1000', 'publish restart: unhealthy: refused']);
    expect(now.restarts).toMatchObject({ count: 1, streak: 1, reason: 'unhealthy: refused', isPending: false });
    expect(restarted).toEqual(['unhealthy: refused']);
    await result('unhealthy', 'again');
    await clock.advance(2_000);
    expect(done.slice(3, 5)).toEqual(['stop-to-start@3000', 'start@3000']);
  });

  test('restart: skips a container that becomes healthy, ends or is restarted during the delay', async () => {
    const { clock, done, now, end, result } = setUp({ config: { onFailure: 'restart' } });
    await result('unhealthy');
    await result('healthy');
    await clock.advance(1_000);
    await result('unhealthy');
    now.runs += 1; // another tool was faster
    await clock.advance(1_000);
    await result('unhealthy');
    end(1);
    await clock.advance(10_000);
    expect(done).toEqual([]);
  });

  test('restart: the next monitor finishes a restart whose stop the end of this monitor interrupted', async () => {
    const { clock, now, result } = setUp({ config: { onFailure: 'restart' } });
    Object.assign(now, { failing: 'stop-to-start', failure: new HealthctlError('ABORTED', 'kill was cancelled') });
    await result('unhealthy');
    await clock.advance(1_000);
    expect(now.restarts).toMatchObject({ isPending: true, count: 0 });
  });

  test("restart: a user's stop during our stop cancels the start", async () => {
    const { clock, done, now, result } = setUp({ config: { onFailure: 'restart' } });
    now.labelsAtStop = { 'healthctl/stopped': 'now' };
    await result('unhealthy');
    await clock.advance(20_000);
    expect([done, now.restarts.isPending]).toEqual([['stop-to-start@1000'], false]);
  });

  test('restart: a container removed during our stop leaves nothing', async () => {
    const { clock, now, result, warnings, written } = setUp({ config: { onFailure: 'restart' } });
    await result('unhealthy');
    now.failing = 'stop-to-start';
    now.failure = new HealthctlError('NOT_FOUND', 'gone');
    await clock.advance(1_000);
    expect([written.map(({ isPending }) => isPending), warnings]).toEqual([[true], []]);
  });

  test('restart: an action on one run does not affect the next, whose start was not seen', async () => {
    const { done, now, result } = setUp({ config: { onFailure: 'kill' } });
    now.survivesKill = true;
    await result('unhealthy');
    now.runs += 1;
    await result('unhealthy');
    expect(done.filter((what) => what.startsWith('kill'))).toHaveLength(2);
  });

  test('a full disk loses the restart record, but no result', async () => {
    const { clock, now, result, warnings } = setUp({ config: { onFailure: 'restart' }, record: { streak: 1 } });
    await result('healthy');
    await clock.advance(600_000);
    now.isDiskFull = true;
    await result('healthy');
    expect(warnings).toEqual([expect.stringContaining('no space')]);
  });

  test('restart: acts up to the limit; ten healthy minutes reset the count', async () => {
    const { clock, done, result, warnings } = setUp({ config: { onFailure: 'restart', maxRestarts: 1 } });
    await result('unhealthy');
    await clock.advance(1_000);
    await result('unhealthy');
    await result('unhealthy');
    await clock.advance(10_000);
    expect([done.length, warnings.length]).toEqual([3, 1]);
    await result('healthy');
    await clock.advance(600_000);
    await result('healthy');
    await result('unhealthy');
    await clock.advance(1_000);
    expect(done.length).toBe(6);
  });

  test('restart: starts what the previous monitor had stopped', async () => {
    const { clock, done, now, end } = setUp({
      config: { onFailure: 'restart' },
      record: { count: 1, streak: 1, isPending: true },
    });
    end(143);
    await clock.advance(2_000);
    expect([done, now.restarts.isPending]).toEqual([['start@2000'], false]);
  });

  test('restart: does not start a container that the previous monitor was about to stop, if it became healthy and ended', async () => {
    const { clock, done, end, result } = setUp({
      config: { onFailure: 'restart' },
      record: { count: 1, streak: 1, isPending: true },
    });
    await result('healthy');
    end(0);
    await clock.advance(10_000);
    expect(done).toEqual([]);
  });

  test('retries a failed action at the next unhealthy result', async () => {
    const { done, now, result } = setUp({ config: { onFailure: 'kill' } });
    now.failing = 'kill';
    await result('unhealthy');
    now.failing = undefined;
    await result('unhealthy', 'bad');
    expect(done).toEqual(['kill@0', 'kill@0', 'publish kill: unhealthy: bad']);
  });

  // The table in docs/auto-healing.md.
  test.each([
    ['none', undefined, []],
    ['none', 'always', []],
    ['kill', undefined, ['kill@0']],
    ['kill', 'always', ['kill@0', 'start@1000']],
    ['kill', 'unless-stopped', ['kill@0', 'start@1000']],
    ['kill', 'on-failure', ['kill@0', 'start@1000']],
    ['stop', undefined, ['stop@0']],
    ['stop', 'always', ['stop@0']],
    ['stop', 'unless-stopped', ['stop@0']],
    ['stop', 'on-failure', ['stop@0']],
    ['restart', undefined, ['stop-to-start@1000', 'start@1000']],
    ['restart', 'always', ['stop-to-start@1000', 'start@1000']],
    ['restart', 'unless-stopped', ['stop-to-start@1000', 'start@1000']],
    ['restart', 'on-failure', ['stop-to-start@1000', 'start@1000']],
  ] as const)('%s with policy %s', async (onFailure, policy, expected) => {
    const labels = policy ? { 'healthctl/restart': policy } : {};
    const { clock, done, result } = setUp({ labels, config: { onFailure } });
    await result('unhealthy');
    await clock.advance(10_000);
    expect(done.filter((what) => !what.startsWith('publish'))).toEqual(expected);
  });
});
