import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { Tasks } from '../containerd/tasks.ts';
import { HealthctlError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import type { ExecCommand, ProbeTarget } from './prober.ts';
import { createResidentProber, type ResidentProberOptions } from './resident.ts';
import type { Turn } from './resident-shell.ts';

const aTarget = (over: Partial<ProbeTarget> = {}): ProbeTarget => ({
  ...{ containerId: 'c1', runId: 'boot:1:1', processJson: '{}', scratchDir: '/nonexistent', timeoutNs: 1e9 },
  ...over,
});
const shellCommand = (text: string): ExecCommand => ({ kind: 'exec', args: ['/bin/sh', '-c', text] });

function setUp() {
  const calls: string[] = [];
  const now: { turn: Turn; failure: Error | undefined } = {
    turn: { kind: 'over', outcome: { kind: 'exited', code: 0, output: 'resident' } },
    failure: undefined,
  };
  const open: ResidentProberOptions['open'] = async (_, { containerId }, items) => {
    if (now.failure) throw now.failure;
    calls.push(`open ${containerId} ${items.join()}`);
    let isUsable = true;
    return {
      get isUsable() {
        return isUsable;
      },
      close: async () => {
        isUsable = false;
        calls.push(`close ${containerId}`);
      },
      check: async () => {
        isUsable = now.turn.kind === 'over';
        return now.turn;
      },
    };
  };
  const clock = createFakeClock();
  const fresh = {
    probe: async () => {
      calls.push('fresh');
      return { outcome: { kind: 'exited', code: 1, output: 'fresh' }, startMs: 0, endMs: 0 } as const;
    },
  };
  const prober = createResidentProber({
    tasks: {} as Tasks,
    clock,
    log: silentLogger,
    fresh,
    open,
    stays: ({ exec }) => exec !== 'fresh',
  });
  return { prober, calls, now };
}

test('uses one shell for a run and a command, and another for every other pair', async () => {
  const { prober, calls } = setUp();
  for (const _ of [1, 2]) await prober.probe(aTarget(), shellCommand('a'));
  await prober.probe(aTarget(), shellCommand('b'));
  await prober.probe(aTarget({ runId: 'boot:2:2' }), shellCommand('b'));
  expect(calls).toEqual(['open c1 a', 'close c1', 'open c1 b', 'close c1', 'open c1 b']);
  await prober.release('c1');
  await prober.close();
  expect(calls.slice(5)).toEqual(['close c1']);
});

test('closes the shell after each check that must not keep it', async () => {
  const { prober, calls } = setUp();
  for (const _ of [1, 2]) await prober.probe(aTarget({ exec: 'fresh', reap: true }), shellCommand('a'));
  expect(calls).toEqual(['open c1 a', 'close c1', 'open c1 a', 'close c1']);
});

test.each([[['true']], [['/bin/sh', '-c']], [['/bin/sh', 'script']]])('%j uses a fresh exec', async (args) => {
  const { prober, calls } = setUp();
  await prober.probe(aTarget(), { kind: 'exec', args });
  expect(calls).toEqual(['fresh']);
});

test('repeats a check with an untrusted answer in a fresh exec; after three in a row all checks are fresh, until the next run', async () => {
  const { prober, calls, now } = setUp();
  const good = now.turn;
  now.turn = { kind: 'broken', reason: 'x' };
  await prober.probe(aTarget(), shellCommand('a'));
  now.turn = good;
  await prober.probe(aTarget(), shellCommand('a'));
  now.turn = { kind: 'broken', reason: 'x' };
  calls.length = 0;
  for (const _ of [1, 2, 3, 4]) await prober.probe(aTarget(), shellCommand('a'));
  expect(calls.filter((what) => what === 'fresh')).toHaveLength(4);
  expect(calls.filter((what) => what.startsWith('open'))).toHaveLength(2); // the first of them used the open shell
  now.turn = good;
  calls.length = 0;
  await prober.probe(aTarget({ runId: 'boot:2:2' }), shellCommand('a'));
  expect(calls).toContain('open c1 a');
});

test('a shell that cannot start leads to a fresh check; a lost containerd does not', async () => {
  const { prober, calls, now } = setUp();
  now.failure = new HealthctlError('INTERNAL', 'no such file');
  await prober.probe(aTarget(), shellCommand('a'));
  expect(calls).toEqual(['fresh']);
  now.failure = new HealthctlError('UNAVAILABLE', 'gone');
  await expect(prober.probe(aTarget(), shellCommand('a'))).rejects.toThrow('gone');
});
