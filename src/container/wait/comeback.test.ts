import { describe, expect, test } from 'vitest';
import { parseRestartPolicy } from '../../health/restart-policy.ts';
import { NEVER_RESTARTED } from '../../record/restart-record.ts';
import { type BadEnd, type ComebackFacts, comebackOf, restartNote } from './comeback.ts';

const NOW = 1_000_000;
const exited = (exitCode: number): BadEnd => ({ kind: 'exited', exitCode, atMs: NOW - 500 });
const unhealthy: BadEnd = { kind: 'unhealthy' };

const by = (end: BadEnd, policy: string, facts: Partial<ComebackFacts> = {}) =>
  comebackOf({
    ...{ end, policy: parseRestartPolicy(policy), onFailure: 'none', maxRestarts: 0, stopped: 'no' },
    ...{ record: NEVER_RESTARTED, nowMs: NOW },
    ...facts,
  });
const restarted = (record: Partial<ComebackFacts['record']>) => ({ record: { ...NEVER_RESTARTED, ...record } });

describe('who restarts a container that exited', () => {
  test.each<[string, number, Partial<ComebackFacts>, string]>([
    ['no', 1, {}, 'nobody'],
    ['always', 0, {}, 'monitor'],
    ['unless-stopped', 0, {}, 'monitor'],
    ['on-failure', 0, {}, 'nobody'],
    ['on-failure', 3, {}, 'monitor'],
    ['on-failure:2', 3, restarted({ count: 1, atMs: 1 }), 'monitor'],
    ['on-failure:2', 3, restarted({ count: 2, atMs: 1 }), 'nobody'],
    // Counted, and in progress.
    ['on-failure:2', 3, restarted({ count: 2, atMs: NOW - 100 }), 'monitor'],
    // Counted long ago, so the start has failed.
    ['on-failure:2', 3, { ...restarted({ count: 2, atMs: NOW - 100 }), nowMs: NOW + 60_000 }, 'nobody'],
    ['always', 0, { stopped: 'for good' }, 'nobody'],
    ['no', 0, { stopped: 'to be started again' }, 'command'],
    // Healing stopped it, and has yet to start it.
    ['no', 143, restarted({ isPending: true }), 'monitor'],
    ['no', 143, { ...restarted({ isPending: true }), stopped: 'for good' }, 'nobody'],
  ])('policy %s, exit %i, %o: %s', (policy, code, facts, expected) => {
    expect(by(exited(code), policy, facts)).toBe(expected);
  });
});

describe('who restarts an unhealthy container', () => {
  test.each<[string, string, Partial<ComebackFacts>, string]>([
    ['none', 'always', {}, 'nobody'],
    ['restart', 'no', {}, 'monitor'],
    ['restart', 'no', { maxRestarts: 2, ...restarted({ streak: 1 }) }, 'monitor'],
    ['restart', 'no', { maxRestarts: 2, ...restarted({ streak: 2 }) }, 'nobody'],
    ['restart', 'no', { maxRestarts: 2, ...restarted({ streak: 2, isPending: true }) }, 'monitor'],
    ['kill', 'no', {}, 'nobody'],
    ['kill', 'on-failure', {}, 'monitor'],
    ['stop', 'always', {}, 'nobody'],
  ])('--health-on-failure %s, --restart %s, %o: %s', (onFailure, policy, facts, expected) => {
    expect(by(unhealthy, policy, { onFailure: onFailure as ComebackFacts['onFailure'], ...facts })).toBe(expected);
  });
});

test('the restart note identifies the process that restarts', () => {
  expect(restartNote('2026-01-01T00:00:00Z')).toMatch(
    new RegExp(`^2026-01-01T00:00:00Z restarted by [0-9a-f-]{36}:${process.pid}:\\d+$`),
  );
});
