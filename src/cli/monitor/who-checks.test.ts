import { describe, expect, test } from 'vitest';
import { type CheckerFacts, checkerFrom, nextCheckIn } from './who-checks.ts';

const monitor: CheckerFacts['monitor'] = { scheduler: 'daemon', adopt: 'auto', namespaces: [] };
const status = { pid: 4711, isLive: true, namespaces: [] };
const facts: CheckerFacts = {
  ...{ monitor, namespace: 'default', status, whyUnmonitored: undefined },
  ...{ isNerdctls: false, nerdctlTimer: undefined, ownTimer: undefined },
};
const checker = (over: Partial<CheckerFacts>) => checkerFrom({ ...facts, ...over });

test('the monitor checks', () => {
  expect(checker({})).toEqual({ kind: 'monitor', pid: 4711 });
  expect(checker({ status: { ...status, namespaces: ['default'] } })).toEqual({ kind: 'monitor', pid: 4711 });
});

test.each([
  ['no monitor', { status: undefined, whyUnmonitored: 'no monitor runs' }, 'no monitor runs', ['daemon', 'start']],
  [
    'a silent one',
    { status: undefined, whyUnmonitored: 'the monitor does not answer' },
    'the monitor does not answer',
    ['daemon', 'status'],
  ],
  [
    'without containerd',
    { status: { ...status, isLive: false } },
    'the monitor, process 4711, has lost containerd',
    ['daemon', 'logs'],
  ],
  [
    'of another namespace',
    { status: { ...status, namespaces: ['a'] } },
    'the monitor does not watch the namespace default',
    undefined,
  ],
  [
    'by the configuration',
    { monitor: { ...monitor, namespaces: ['a'] } },
    'the monitor does not watch the namespace default',
    undefined,
  ],
  [
    'without a timer',
    { status: undefined, monitor: { ...monitor, scheduler: 'systemd' as const } },
    'it has no systemd timer',
    ['daemon', 'start'],
  ],
] as const)('nothing checks: %s', (_, over, why, command) => {
  expect(checker(over)).toMatchObject({ kind: 'nobody', why, ...(command ? { command } : {}) });
});

test('a systemd timer checks', () => {
  const timers = { monitor: { ...monitor, scheduler: 'systemd' as const }, ownTimer: 'x.timer' };
  expect(checker({ ...timers, status: undefined })).toEqual({ kind: 'systemd', unit: 'x.timer' });
});

describe('for a container of nerdctl', () => {
  const nerdctls = { isNerdctls: true, nerdctlTimer: 'c1.timer' };

  test('its timer checks, unless the monitor is to check always', () => {
    expect(checker(nerdctls)).toEqual({ kind: 'nerdctl', unit: 'c1.timer' });
    expect(checker({ ...nerdctls, monitor: { ...monitor, adopt: 'always' } })).toMatchObject({ kind: 'monitor' });
  });

  test('without a timer, the monitor checks, unless it may never', () => {
    expect(checker({ isNerdctls: true })).toMatchObject({ kind: 'monitor' });
    expect(checker({ isNerdctls: true, monitor: { ...monitor, adopt: 'never' } })).toMatchObject({
      kind: 'nobody',
      why: 'it is a container of nerdctl, which made no timer for it',
    });
  });

  test('a timer on a container of healthctl does not count', () => {
    expect(checker({ nerdctlTimer: 'c1.timer' })).toMatchObject({ kind: 'monitor' });
  });
});

test("the next check comes from the monitor's list", () => {
  const at = '2026-01-01T00:00:05Z';
  const list = [
    { record: { id: 'c0' } },
    { record: { id: 'c1' }, nextCheckAt: at },
    { record: { id: 'c2' }, nextCheckAt: null },
  ];
  expect(['c0', 'c1', 'c2', 'c3'].map((id) => nextCheckIn(list, id))).toEqual([
    undefined,
    Date.parse(at),
    undefined,
    undefined,
  ]);
});
