import { expect, test } from 'vitest';
import { createFakeClock } from './clock.ts';
import { forgottenSleeps, refuseForgottenSleeps } from './forgotten-sleeps.ts';

// What test/fakes/setup.ts does after each test, done here before it.
const judge = ({ hasTimedOut = false } = {}) => refuseForgottenSleeps(forgottenSleeps.take(), hasTimedOut);

test('a test that waits on the clock without advancing it fails, with the place of the wait', () => {
  void createFakeClock().sleep(5_000);
  expect(() => judge()).toThrow(
    expect.objectContaining({
      message: 'a fake clock was not advanced for a sleep of 5000 ms (its place is the cause)',
      cause: expect.objectContaining({ stack: expect.stringContaining('clock.test.ts') }),
    }),
  );
  expect(() => judge()).not.toThrow(); // the next test is not to blame
});

test('a sleep that was woken, aborted or followed by an advance is fine', async () => {
  const clock = createFakeClock();
  const abort = new AbortController();
  void clock.sleep(10);
  void clock.sleep(10, abort.signal);
  void clock.sleep(60_000);
  abort.abort();
  await clock.advance(10);
  expect(() => judge()).not.toThrow();
});

test('one that begins in the middle of an advance is fine, unless the test then waits for ever', async () => {
  const clock = createFakeClock();
  void clock.sleep(10).then(() => clock.sleep(10));
  await clock.advance(15);
  expect(clock.sleepers).toBe(1);
  const left = forgottenSleeps.take();
  expect(() => refuseForgottenSleeps(left, false)).not.toThrow();
  expect(() => refuseForgottenSleeps(left, true)).toThrow('sleep of 10 ms');
});
