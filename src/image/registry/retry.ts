import type { Clock } from '../../lib/clock.ts';
import { errnoOf, HealthctlError, hasCode } from '../../lib/errors.ts';

/** Waits between the attempts of one request. */
export const RETRY_DELAYS_MS: readonly number[] = [300, 900, 2_700];
/** There is no server: another try does not help. */
const HOPELESS = new Set(['ECONNREFUSED', 'ENOTFOUND']);

/** Whether the same request may succeed a moment later: a broken connection, a stall, an overloaded server. */
export function isTransient(error: unknown): error is HealthctlError {
  return hasCode(error, 'UNAVAILABLE', 'TIMEOUT') && !HOPELESS.has(errnoOf(error.cause) ?? '');
}

/** Runs `attempt` until it succeeds, fails permanently, or has used up the delays. */
export async function withRetries<T>(clock: Clock, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error)) throw error;
      await pauseBeforeRetry(clock, delayMs, signal);
    }
  }
  return attempt();
}

/** Throws ABORTED when the signal ends the wait. */
export async function pauseBeforeRetry(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  await clock.sleep(delayMs, signal);
  if (signal?.aborted) throw new HealthctlError('ABORTED', 'the request was cancelled');
}
