import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { createActionPlans } from './action-plans.ts';

const T0 = 1_700_000_000_000;

function setUp() {
  const clock = createFakeClock(T0);
  const seen: string[] = [];
  const plans = createActionPlans({
    clock,
    onFailure: (key, error) => void seen.push(`${key} failed: ${error instanceof Error ? error.message : error}`),
    onEnd: (key) => void seen.push(`${key} ended, running: ${plans.isRunning(key)}`),
  });
  const recording = (what: string) => async (): Promise<void> => void seen.push(`${what}@${clock.monotonic()}`);
  return { clock, seen, plans, recording };
}

test('a new plan replaces the old one', async () => {
  const { clock, seen, plans, recording } = setUp();
  plans.plan('a', { cause: 'end', delayMs: 1_000 }, recording('first'));
  plans.plan('a', { cause: 'health', delayMs: 2_000 }, recording('second'));
  expect(plans.get('a')).toMatchObject({ cause: 'health', atMs: T0 + 2_000 });
  await clock.advance(2_000);
  expect(seen).toEqual(['second@2000', 'a ended, running: false']);
  expect(plans.isBusy).toBe(false);
});

test('a plan is dropped by the cause that made it, and by no other', async () => {
  const { clock, seen, plans, recording } = setUp();
  plans.plan('a', { cause: 'end', delayMs: 1_000 }, recording('a'));
  plans.drop('a', 'health');
  expect(plans.get('a')?.cause).toBe('end');
  plans.drop('a', 'end');
  expect([plans.get('a'), plans.causeOf('a')]).toEqual([undefined, undefined]);
  await clock.advance(1_000);
  expect(seen).toEqual([]);
});

test('the cause of an action is known while it is planned and while it runs', async () => {
  const { clock, plans } = setUp();
  plans.plan('a', { cause: 'end', delayMs: 1_000 }, () => clock.sleep(5_000));
  expect(plans.causeOf('a')).toBe('end');
  await clock.advance(1_000);
  expect([plans.get('a'), plans.causeOf('a')]).toEqual([undefined, 'end']);
  await clock.advance(5_000);
  expect(plans.causeOf('a')).toBeUndefined();
});

test('an action that fails is reported, and counts as ended', async () => {
  const { clock, seen, plans } = setUp();
  plans.run('a', async () => {
    throw new Error('no');
  });
  expect(plans.isRunning('a')).toBe(true);
  await clock.advance(0);
  expect(seen).toEqual(['a failed: no', 'a ended, running: false']);
});

test('stop drops plans and waits for running actions, and nothing begins after it', async () => {
  const { clock, seen, plans, recording } = setUp();
  let finish = (): void => {};
  plans.run('a', () => new Promise((resolve) => (finish = resolve)));
  plans.plan('b', { cause: 'end', delayMs: 1_000 }, recording('b'));
  const stopped = plans.stop().then(() => void seen.push('stopped'));
  await clock.advance(5_000);
  expect(seen).toEqual([]);
  finish();
  await stopped;
  plans.run('a', recording('late'));
  plans.plan('a', { cause: 'end', delayMs: 0 }, recording('late'));
  await clock.advance(0);
  expect(seen).toEqual(['a ended, running: false', 'stopped']);
  expect(clock.sleepers).toBe(0);
});
