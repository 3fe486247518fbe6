import type { HealthConfig } from './config.ts';

/** What a check may take until it is started. */
const CHECK_START_LIMIT_MS = 30_000;

const NS_PER_MS = 1e6;

/**
 * Whether health is older than it can be where checks are made: more than a wait, a timeout and the limit of a start. Whatever the reason, it
 * is then not known what the health is.
 *
 * @param fromMs the end of the last check, or what the first wait counts from
 */
export function isOverdue(
  { intervalNs, timeoutNs, startPeriodNs, startIntervalNs }: HealthConfig,
  { fromMs, nowMs }: { readonly fromMs: number; readonly nowMs: number },
): boolean {
  const waitNs = startPeriodNs > 0 ? Math.max(intervalNs, startIntervalNs) : intervalNs;
  return nowMs - fromMs > (waitNs + timeoutNs) / NS_PER_MS + CHECK_START_LIMIT_MS;
}
