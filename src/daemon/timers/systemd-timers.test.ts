import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { checkArguments, createTimers, timerArguments, timerNameOf } from './systemd-timers.ts';
import type { TimerPlan } from './timer-plan.ts';

const hostId = '1935db59';
const plan: TimerPlan = { phase: 'regular', dueMs: 10_000, waitMs: 5_000 };
const subject = { namespace: 'default', id: 'c1' };

describe('the name of a timer', () => {
  test.each([
    ['default', 'c1', 'healthctl-check-1935db59-default-c1'],
    ['k8s.io', 'a-b', 'healthctl-check-1935db59-k8s.io-a\\x2db'],
  ])('of container %s/%s', (namespace, id, name) => {
    expect(timerNameOf(hostId, { namespace, id }, 'regular')).toBe(name);
    expect(timerNameOf(hostId, { namespace, id }, 'starting')).toBe(`${name}-starting`);
  });

  test('is valid for systemd, and unique to the container and phase', () => {
    const identifier = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,75}$/);
    const container = fc.record({ namespace: identifier, id: identifier });
    const phase = fc.constantFrom('starting' as const, 'regular' as const);
    fc.assert(
      fc.property(container, container, phase, phase, (one, other, phaseOfOne, phaseOfOther) => {
        const name = timerNameOf(hostId, one, phaseOfOne);
        expect(`${name}.service`).toMatch(/^[A-Za-z0-9:_.\\-]{1,255}$/);
        const isSame = one.namespace === other.namespace && one.id === other.id && phaseOfOne === phaseOfOther;
        expect(timerNameOf(hostId, other, phaseOfOther) === name).toBe(isSame);
      }),
    );
    const dashes = (namespace: string, id: string) => timerNameOf(hostId, { namespace, id }, 'regular');
    expect(dashes('a-b', 'c')).not.toBe(dashes('a', 'b-c'));
  });
});

describe('the arguments of systemd-run', () => {
  const argumentsOf = (over: Partial<TimerPlan> = {}, nowMs = 6_000) =>
    timerArguments(
      { hostId, command: ['/usr/bin/node', '--', '/opt/$x/healthctl'], environment: { HEALTHCTL_TOML: '/etc/a.toml' } },
      subject,
      { ...plan, ...over, nowMs },
    );

  test('start the process a moment before the check, with the exact due time', () => {
    expect(argumentsOf()).toEqual(expect.arrayContaining(['--on-active=3500000us', '--on-unit-inactive=4500000us']));
    expect(argumentsOf().slice(-6)).toEqual([
      '/opt/$$x/healthctl',
      '--phase',
      'regular',
      '--not-before',
      '10000',
      'c1',
    ]);
  });

  test('a due time in the past gives the shortest wait', () => {
    expect(argumentsOf({ waitMs: 1 }, 20_000)).toEqual(
      expect.arrayContaining(['--on-active=1us', '--on-unit-inactive=500us']),
    );
  });

  test('limit no starts, are exact, and log nothing', () => {
    expect(argumentsOf()).toEqual(
      expect.arrayContaining([
        '--timer-property=AccuracySec=10ms',
        '--property=StartLimitIntervalSec=0',
        '--property=LogLevelMax=notice',
        '--setenv=HEALTHCTL_TOML=/etc/a.toml',
      ]),
    );
  });
});

test('waits while systemd unloads the unit of the same name', async () => {
  const clock = createFakeClock();
  let refusals = 3;
  const calls: string[] = [];
  const timers = createTimers({
    systemd: {
      require: () => {},
      run: async (program) => {
        calls.push(program);
        refusals -= 1;
        if (refusals > 0) throw new HealthctlError('UNAVAILABLE', 'systemd-run: Unit x.timer was already loaded');
        return '';
      },
    },
    ...{ clock, hostId, command: ['healthctl'], environment: {}, unitDir: '/nowhere' },
  });
  const done = timers.ensureTimer(subject, plan);
  await clock.advance(1_000);
  await done;
  expect(calls).toEqual(['systemd-run', 'systemd-run', 'systemd-run']);
});

test("the arguments of the check's command", () => {
  expect(checkArguments(subject, { ...plan, dueMs: 1.6 })).toEqual(['--phase', 'regular', '--not-before', '2', 'c1']);
});
