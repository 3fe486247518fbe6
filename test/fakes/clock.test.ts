import { expect, test } from 'vitest';
import { createFakeClock } from './clock.ts';
import { forgottenSleeps, refuseForgottenSleeps } from './forgotten-sleeps.ts';

// What test/fakes/setup.ts does after each test; here the test does it itself.
const judge = ({ hasTimedOut = false } = {}) => refuseForgottenSleeps(forgottenSleeps.take(), hasTimedOut);

test('a test that sleeps on the clock without advancing it fails with the place of the sleep', () => {
  void createFakeClock().sleep(5_000);
  expect(() => judge()).toThrow(
    expect.objectContaining({
      message: 'a fake clock was not advanced for a sleep of 5000 ms; the cause shows where it began',
      cause: expect.objectContaining({ stack: expect.stringContaining('clock.test.ts') }),
    }),
  );
  expect(() => judge()).not.toThrow(); // does not fail the next test
});

test('a sleep is not forgotten if it was woken or aborted, or the clock was advanced after it', async () => {
  const clock = createFakeClock();
  const abort = new AbortController();
  void clock.sleep(10);
  void clock.sleep(10, abort.signal);
  void clock.sleep(60_000);
  abort.abort();
  await clock.advance(10);
  expect(() => judge()).not.toThrow();
});

test('a sleep that begins during an advance is forgotten only if the test timed out', async () => {
  const clock = createFakeClock();
  void clock.sleep(10).then(() => clock.sleep(10));
  await clock.advance(15);
  expect(clock.sleepers).toBe(1);
  const left = forgottenSleeps.take();
  expect(() => refuseForgottenSleeps(left, false)).not.toThrow();
  expect(() => refuseForgottenSleeps(left, true)).toThrow('sleep of 10 ms');
});
