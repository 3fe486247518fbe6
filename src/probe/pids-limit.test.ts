import { expect, test } from 'vitest';
import type { Outcome } from '../health/result.ts';
import { explainPidsLimit } from './pids-limit.ts';

const full = { limit: 20, current: 19, zombies: 17 };
const failed = (output: string, code = 2): Outcome => ({ kind: 'exited', code, output });
const explained = (outcome: Outcome, pids: typeof full | undefined = full) => explainPidsLimit(outcome, 1, () => pids);

test('a check that cannot fork at the limit of processes gives the reason and the remedy', () => {
  expect(explained(failed("/bin/sh: can't fork: Resource temporarily unavailable\n"))).toEqual(
    failed(
      "/bin/sh: can't fork: Resource temporarily unavailable\nthe container's limit of 20 processes is reached, 17 of them ended ones that its first process does not reap: use --init, --health-reap or a larger --pids-limit",
    ),
  );
  expect(explained(failed('sh: 0: Cannot fork'), { ...full, zombies: 0 })).toEqual(
    failed(
      "sh: 0: Cannot fork\nthe container's limit of 20 processes is reached: use --health-reap if checks leave processes behind, or a larger --pids-limit",
    ),
  );
});

test("a check that cannot start at the limit gives this reason instead of the runtime's", () => {
  const outcome: Outcome = { kind: 'could-not-start', reason: 'read init-p: connection reset by peer' };
  expect(explained(outcome)).toMatchObject({ reason: expect.stringContaining('limit of 20 processes is reached') });
  expect(explained(outcome, { ...full, current: 12 })).toBe(outcome);
});

test.each<[string, Outcome, typeof full | undefined]>([
  ['below the limit', failed('Cannot fork'), { ...full, current: 5 }],
  ['no limit', failed('Cannot fork'), undefined],
  ['another failure', failed('connection refused'), full],
  ['a success', failed('Cannot fork', 0), full],
  ['a timeout', { kind: 'timed-out', timeoutNs: 1, output: 'Cannot fork' }, full],
])('does not change the outcome: %s', (_, outcome, pids) => {
  expect(explainPidsLimit(outcome, 1, () => pids)).toBe(outcome);
});
