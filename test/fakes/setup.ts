import { afterEach } from 'vitest';
import { forgottenSleeps, refuseForgottenSleeps } from './forgotten-sleeps.ts';

// In every file of unit tests. The hook that is registered first runs last, so hooks of the test file have closed their
// things before.
afterEach(({ task }) => {
  const hasTimedOut = task.result?.errors?.some(({ message }) => message.startsWith('Test timed out')) ?? false;
  refuseForgottenSleeps(forgottenSleeps.take(), hasTimedOut);
});
