import { describe, expect, test } from 'vitest';
import { aResult, aRun, aState } from '../../test/builders/health.ts';
import { effectiveState, isOfRun, type Started, type StoredHealth, type TaskView, testedForMs } from './state.ts';

const NEVER: Started = { ever: false };
const STARTED: Started = { ever: true, lastRun: aRun().id };
const running: TaskView = { kind: 'running', run: aRun() };
const another: TaskView = {
  kind: 'running',
  run: aRun({ id: 'boot:200:9000', startedAtMs: aRun().startedAtMs + 60_000 }),
};
/** The test was set this long after the start of the run. */
const withTestSince = (ms: number): TaskView => ({
  kind: 'running',
  run: aRun({ testSinceMs: aRun().startedAtMs + ms }),
});
const empty: StoredHealth = { log: [], state: undefined };
const sick: StoredHealth = { log: [aResult(1000, 1)], state: aState({ status: 'unhealthy', failingStreak: 4 }) };
const well: StoredHealth = { log: [aResult(1000)], state: aState({ failingStreak: 1 }) };
const ofNerdctl: StoredHealth = { log: [aResult(1000)], state: aState({ run: undefined }) };

const shown = (stored: StoredHealth, task: TaskView, started: Started) => {
  const state = effectiveState({ stored, task, started });
  return state && `${state.status}/${state.failingStreak}`;
};

describe('effectiveState', () => {
  test.each<[string, StoredHealth, TaskView, Started, string | undefined]>([
    ['the present run: as stored', well, running, STARTED, 'healthy/1'],
    ['the present run, paused: as stored', sick, { kind: 'paused', run: aRun() }, STARTED, 'unhealthy/4'],
    ['started, nothing stored', empty, running, STARTED, 'starting/0'],
    ['another run: starting over', sick, another, STARTED, 'starting/0'],
    ['another run after a healthy one', well, another, STARTED, 'starting/0'],
    ['running, with no recorded start', well, running, NEVER, 'healthy/1'],
    ['another test after the last result: starting over', sick, withTestSince(5_000), STARTED, 'starting/0'],
    ['another test, nothing stored since', { log: [], state: sick.state }, withTestSince(5_000), STARTED, 'starting/0'],
    ['a result by the present test', sick, withTestSince(500), STARTED, 'unhealthy/4'],
    ['a test set before the run', sick, withTestSince(-60_000), STARTED, 'unhealthy/4'],
    ['another test after nerdctl’s result', ofNerdctl, withTestSince(5_000), STARTED, 'starting/0'],
    ['stopped: unhealthy, streak kept', well, { kind: 'stopped' }, STARTED, 'unhealthy/1'],
    ['task gone, as after a reboot', sick, { kind: 'none' }, STARTED, 'unhealthy/4'],
    ['stopped before its first check', empty, { kind: 'stopped' }, STARTED, 'unhealthy/0'],
    [
      'stopped before the first check of its last run',
      sick,
      { kind: 'stopped' },
      { ever: true, lastRun: 'boot:200:9000' },
      'unhealthy/0',
    ],
    ['stopped, last run unknown', sick, { kind: 'stopped' }, { ever: true, lastRun: undefined }, 'unhealthy/4'],
    ['never started', empty, { kind: 'none' }, NEVER, undefined],
    ['created for the first time, not started', empty, { kind: 'created' }, NEVER, undefined],
    ['created again, not started', well, { kind: 'created' }, STARTED, 'unhealthy/1'],
    ['nerdctl’s result of the present run', ofNerdctl, running, STARTED, 'healthy/0'],
    ['nerdctl’s result of an earlier run', ofNerdctl, another, STARTED, 'starting/0'],
  ])('%s', (_, stored, task, started, expected) => {
    expect(shown(stored, task, started)).toBe(expected);
  });
});

describe('for how long a run had its test', () => {
  const T0 = aRun().startedAtMs;
  const HOUR = 3_600_000;
  // The process of the run began 50 s after the boot.
  test.each<[string, Parameters<typeof aRun>[0], { nowMs: number; bootMs: number }, number]>([
    ['since the process began', {}, { nowMs: T0 + 7_000, bootMs: 57_000 }, 7_000],
    ['the wall clock was set forward', {}, { nowMs: T0 + 2 * HOUR, bootMs: 57_000 }, 7_000],
    ['the wall clock was set back', {}, { nowMs: T0 - 2 * HOUR, bootMs: 57_000 }, 7_000],
    ['since the recorded start', { startedBootMs: 51_000 }, { nowMs: T0, bootMs: 57_000 }, 6_000],
    ['since the present test', { testSinceMs: T0 + 5_000 }, { nowMs: T0 + 7_000, bootMs: 57_000 }, 2_000],
    ['a test from the future began now', { testSinceMs: T0 + HOUR }, { nowMs: T0 + 7_000, bootMs: 57_000 }, 0],
    [
      'a test since a boot time, the clock set back',
      { testSinceMs: T0 + 5_000, testSinceBootMs: 55_000 },
      { nowMs: T0 - HOUR, bootMs: 57_000 },
      2_000,
    ],
    [
      'a test since a boot time, the clock set forward',
      { testSinceMs: T0 + 5_000, testSinceBootMs: 55_000 },
      { nowMs: T0 + HOUR, bootMs: 57_000 },
      2_000,
    ],
    ['a run whose process is unknown', { id: 'x' }, { nowMs: T0 + 7_000, bootMs: 57_000 }, 7_000],
  ])('%s', (_, run, at, expected) => {
    expect(testedForMs(aRun(run), at)).toBe(expected);
  });
});

test('a state belongs to the test that it names, whatever the clock showed', () => {
  const testSinceMs = aRun().startedAtMs + 3_600_000; // from before the clock was set back
  const run = aRun({ testSinceMs });
  expect(isOfRun({ log: [aResult(1000)], state: aState({ testSinceMs }) }, run)).toBe(true);
  expect(isOfRun({ log: [aResult(1000)], state: aState() }, run)).toBe(false);
  // A check with the previous test, which began during the update.
  const late = { log: [aResult(3_700_000)], state: aState({ testSinceMs: testSinceMs - 1 }) };
  expect(isOfRun(late, run)).toBe(false);
});
