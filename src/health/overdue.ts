import type { HealthConfig } from './config.ts';

/** Longest time for starting a check. */
const CHECK_START_LIMIT_MS = 30_000;

const NS_PER_MS = 1e6;

/**
 * Whether health is older than it can be while checks are made: older than a wait, a timeout and the start limit
 * together. The health is then unknown, whatever the reason.
 *
 * @param fromMs the end of the last check, or the origin of the first wait
 */
export function isOverdue(
  { intervalNs, timeoutNs, startPeriodNs, startIntervalNs }: HealthConfig,
  { fromMs, nowMs }: { readonly fromMs: number; readonly nowMs: number },
): boolean {
  const waitNs = startPeriodNs > 0 ? Math.max(intervalNs, startIntervalNs) : intervalNs;
  return nowMs - fromMs > (waitNs + timeoutNs) / NS_PER_MS + CHECK_START_LIMIT_MS;
}
