import { afterEach } from 'vitest';
import { forgottenSleeps, refuseForgottenSleeps } from './forgotten-sleeps.ts';

// For every file of unit tests. Hooks that were set up first run last: what a test closes in its own is closed by now.
afterEach(({ task }) => {
  const hasTimedOut = task.result?.errors?.some(({ message }) => message.startsWith('Test timed out')) ?? false;
  refuseForgottenSleeps(forgottenSleeps.take(), hasTimedOut);
});
