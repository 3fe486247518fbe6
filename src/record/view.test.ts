import { describe, expect, test } from 'vitest';
import { aRecord, aTask } from '../../test/builders/container.ts';
import { LABELS } from '../lib/labels.ts';
import { readStat } from '../system/proc.ts';
import { healthConfigOf, runIdOf, startNoteJson, viewOf } from './view.ts';

const moment = { nowMs: Date.parse('2026-01-02T00:00:00Z'), bootId: 'boot', bootMs: 86_400_000 };
const stat = readStat(process.pid);
const ownRun = stat ? runIdOf('boot', stat) : '';
const note = (at: string, run: string, bootMs?: number) => ({ [LABELS.started]: startNoteJson(at, run, bootMs) });

describe('viewOf', () => {
  test.each([
    ['never started', aRecord(), undefined, 'created', false],
    ['created, not started', aRecord(), aTask({ status: 'created' }), 'created', false],
    ['running', aRecord(), aTask(), 'running', true],
    ['pausing counts as paused', aRecord(), aTask({ status: 'pausing' }), 'paused', true],
    ['stopped', aRecord(), aTask({ status: 'stopped', pid: 0 }), 'exited', true],
    [
      'after a reboot, with only the label',
      aRecord({ labels: note('2026-01-01T00:00:00Z', 'old') }),
      undefined,
      'exited',
      true,
    ],
    [
      'after a reboot, with only a damaged label',
      aRecord({ labels: { [LABELS.started]: 'x' } }),
      undefined,
      'exited',
      true,
    ],
    ['the process is gone, but containerd has not noticed yet', aRecord(), aTask({ pid: 2 ** 30 }), 'exited', true],
  ] as const)('shows the state: %s', (_, record, task, state, everStarted) => {
    const view = viewOf(record, task, moment);
    expect([view.state, view.started.ever]).toEqual([state, everStarted]);
  });

  test('boot id, pid and start time identify a run, whose start is the recorded one', () => {
    const labels = note('2026-01-01T12:00:00Z', ownRun);
    const view = viewOf(aRecord({ labels }), aTask(), moment);
    expect(view.taskView).toEqual({
      kind: 'running',
      run: { id: ownRun, startedAtMs: Date.parse('2026-01-01T12:00:00Z') },
    });
  });

  test('the start of a run is its recorded boot time, if that is possible', () => {
    const bornMs = (stat?.startTimeTicks ?? 0) * 10;
    const now = { ...moment, bootMs: bornMs + 60_000 };
    const startedBootMs = (bootMs: number | undefined, run = ownRun) => {
      const { taskView } = viewOf(aRecord({ labels: note('2026-01-01T12:00:00Z', run, bootMs) }), aTask(), now);
      return taskView.kind === 'running' ? taskView.run.startedBootMs : taskView.kind;
    };
    expect(startedBootMs(bornMs + 400)).toBe(bornMs + 400);
    for (const bootMs of [bornMs - 10, now.bootMs + 11, undefined]) expect(startedBootMs(bootMs)).toBeUndefined();
    expect(startedBootMs(bornMs + 400, 'other')).toBeUndefined();
  });

  test('knows since when a run has its test', () => {
    const since = (text: string) => {
      const { taskView } = viewOf(aRecord({ labels: { [LABELS.testSince]: text } }), aTask(), moment);
      return taskView.kind === 'running' ? taskView.run.testSinceMs : taskView.kind;
    };
    expect(since('2026-01-01T12:00:00.000000000Z')).toBe(Date.parse('2026-01-01T12:00:00Z'));
    expect(since('yesterday')).toBeUndefined();
  });

  test('ignores a record of another run', () => {
    const view = viewOf(aRecord({ labels: note('2026-01-01T12:00:00Z', 'other') }), aTask(), moment);
    expect(view.startedAtMs).not.toBe(Date.parse('2026-01-01T12:00:00Z'));
  });

  test('takes exit code and time from the task; after a reboot the code is 255', () => {
    expect(viewOf(aRecord(), aTask({ status: 'stopped', exitStatus: 3, exitedAtMs: 5 }), moment).exit).toEqual({
      code: 3,
      atMs: 5,
    });
    expect(viewOf(aRecord({ labels: note('2026-01-01T00:00:00Z', 'old') }), undefined, moment).exit).toEqual({
      code: 255,
      atMs: undefined,
    });
    expect(viewOf(aRecord(), aTask(), moment).exit).toBeUndefined();
  });
});

describe('healthConfigOf', () => {
  const theirs = { [LABELS.nerdctlHealthcheck]: '{"Test":["CMD","true"]}' };
  test("our label overrides nerdctl's", () => {
    expect(healthConfigOf({})).toEqual({ kind: 'absent' });
    expect(healthConfigOf(theirs)).toEqual({ kind: 'config', config: { test: ['CMD', 'true'] } });
    expect(healthConfigOf({ ...theirs, [LABELS.healthcheck]: '{"Test":["FOO"]}' })).toEqual({
      kind: 'config',
      config: { test: ['FOO'] },
    });
    expect(healthConfigOf({ [LABELS.nerdctlHealthcheck]: '{' })).toMatchObject({ kind: 'malformed' });
  });
});
