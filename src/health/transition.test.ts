import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aConfig, aResult, aRun, aState } from '../../test/builders/health.ts';
import type { HealthState } from './state.ts';
import { isMirrorDue, transition } from './transition.ts';

const start = { status: 'starting', failingStreak: 0 } as const;

/** Applies exit codes, one second apart. Shows each step as `status/streak`, with `!` if the status changed. */
function fold(
  codes: readonly number[],
  config: Parameters<typeof aConfig>[0] = {},
  from: Pick<HealthState, 'status' | 'failingStreak'> = start,
): string[] {
  let before = from;
  return codes.map((code, i) => {
    const { state, statusChanged } = transition({
      before,
      result: aResult((i + 1) * 1000, code),
      testedForMs: (i + 1) * 1000,
      config: aConfig(config),
      run: aRun(),
    });
    before = state;
    return `${state.status}/${state.failingStreak}${statusChanged ? '!' : ''}`;
  });
}

describe('transition', () => {
  test.each<[string, number[], Parameters<typeof aConfig>[0], string[]]>([
    ['one success is enough', [0], {}, ['healthy/0!']],
    ['failures count up to retries', [1, 1, 1], {}, ['starting/1', 'starting/2', 'unhealthy/3!']],
    ['retries 1', [1], { retries: 1 }, ['unhealthy/1!']],
    [
      'the streak keeps growing',
      [1, 1, 1, 1],
      { retries: 2 },
      ['starting/1', 'unhealthy/2!', 'unhealthy/3', 'unhealthy/4'],
    ],
    [
      'every success resets the streak',
      [0, 1, 0, 1, 0, 1, 1, 0],
      {},
      ['healthy/0!', 'healthy/1', 'healthy/0', 'healthy/1', 'healthy/0', 'healthy/1', 'healthy/2', 'healthy/0'],
    ],
    ['recovery', [1, 0], { retries: 1 }, ['unhealthy/1!', 'healthy/0!']],
    [
      'any code but 0 is a failure',
      [2, 126, 137, -1],
      { retries: 4 },
      ['starting/1', 'starting/2', 'starting/3', 'unhealthy/4!'],
    ],
    [
      'failures inside the start period are free',
      [1, 1, 1, 1],
      { startPeriodNs: 2.5e9, retries: 2 },
      ['starting/0', 'starting/0', 'starting/1', 'unhealthy/2!'],
    ],
    ['the start period ends exactly', [1], { startPeriodNs: 1e9, retries: 1 }, ['unhealthy/1!']],
    [
      'after the first success there is no grace',
      [0, 1, 1],
      { startPeriodNs: 60e9, retries: 2 },
      ['healthy/0!', 'healthy/1', 'unhealthy/2!'],
    ],
  ])('%s', (_, codes, config, expected) => {
    expect(fold(codes, config)).toEqual(expected);
  });

  test('the state records the run and whether the start period applied', () => {
    const { state } = transition({
      before: start,
      result: aResult(500, 1),
      testedForMs: 500,
      config: aConfig({ startPeriodNs: 1e9 }),
      run: aRun(),
    });
    expect(state).toEqual({ status: 'starting', failingStreak: 0, inStartPeriod: true, run: aRun().id });
  });

  test('in every sequence, unhealthy takes as many counted failures in a row as configured, and a success ends it', () => {
    const codes = fc.array(fc.constantFrom(0, 1, 137, -1), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        codes,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 30 }),
        (sequence, retries, startPeriodS) => {
          const steps = fold(sequence, { retries, startPeriodNs: startPeriodS * 1e9 });
          let streak = 0;
          let status = 'starting';
          sequence.forEach((code, i) => {
            const isFree = status === 'starting' && i + 1 < startPeriodS;
            if (code === 0) [status, streak] = ['healthy', 0];
            else if (!isFree) {
              streak += 1;
              if (streak >= retries) status = 'unhealthy';
            }
            expect(steps[i]?.replace('!', '')).toBe(`${status}/${streak}`);
          });
        },
      ),
    );
  });
});

describe('whether the mirror must be written', () => {
  const due = (mirrored: Parameters<typeof aState>[0] | undefined, after: Parameters<typeof aState>[0]) =>
    isMirrorDue({ mirrored: mirrored && aState(mirrored), after: aState(after), retries: 3 });
  test.each([
    ['nothing mirrored yet', undefined, {}, true],
    ['the same', {}, {}, false],
    ['another status', {}, { status: 'unhealthy', failingStreak: 3 }, true],
    ['another run', {}, { run: 'other' }, true],
    ['nerdctl wrote it', { run: undefined }, {}, true],
    ['streak below retries', { failingStreak: 1 }, { failingStreak: 2 }, true],
    [
      'streak up to retries',
      { status: 'unhealthy', failingStreak: 2 },
      { status: 'unhealthy', failingStreak: 3 },
      true,
    ],
    [
      'streak past retries',
      { status: 'unhealthy', failingStreak: 3 },
      { status: 'unhealthy', failingStreak: 9 },
      false,
    ],
    ['streak reset', { failingStreak: 2 }, { failingStreak: 0 }, true],
  ] as const)('%s', (_, mirrored, after, expected) => {
    expect(due(mirrored, after)).toBe(expected);
  });
});
