import type { HealthConfig } from './config.ts';
import type { HealthStatus } from './state.ts';

/** The facts that the time of the next check depends on. Times in milliseconds on one monotonic clock of any origin. */
export interface ScheduleFacts {
  /**
   * The start of the wait: the end of the previous check, the start of the run before the first check, or the moment of
   * an unpause.
   */
  readonly fromMs: number;
  /** The start of the start period. */
  readonly graceFromMs: number;
  readonly status: HealthStatus;
  readonly config: Pick<HealthConfig, 'intervalNs' | 'startPeriodNs' | 'startIntervalNs'>;
}

const NS_PER_MS = 1e6;

/**
 * Whether the start interval applies: the container is `starting` and inside its start period (Docker: daemon/health.go
 * monitor).
 */
export function isInStartPeriod({ fromMs, graceFromMs, status, config }: ScheduleFacts): boolean {
  return status === 'starting' && fromMs - graceFromMs < config.startPeriodNs / NS_PER_MS;
}

/**
 * When the next check is due.
 *
 * One interval after `fromMs`, or one start interval inside the start period. A wait that begins inside the period is
 * cut short once the period ends, if the regular interval is due earlier: a long start interval must not delay checks
 * after the period (moby#46747).
 */
export function nextCheckAtMs(facts: ScheduleFacts): number {
  const { fromMs, graceFromMs, config } = facts;
  const regularMs = fromMs + config.intervalNs / NS_PER_MS;
  if (!isInStartPeriod(facts)) return regularMs;
  const periodEndMs = graceFromMs + config.startPeriodNs / NS_PER_MS;
  return Math.min(fromMs + config.startIntervalNs / NS_PER_MS, Math.max(periodEndMs, regularMs));
}

/**
 * When the first check of an adopted run is due: at its scheduled time if that is still ahead. Otherwise at some point
 * within one wait from now, so that many overdue containers are not all checked at once.
 *
 * @param facts.fromMs the end of the last check of this run, or its start
 * @param facts.share in [0, 1): position in the wait, the same for the same container each time
 */
export function adoptedCheckAtMs(facts: ScheduleFacts & { readonly nowMs: number; readonly share: number }): number {
  const { nowMs, share } = facts;
  const dueMs = nextCheckAtMs(facts);
  if (dueMs >= nowMs) return dueMs;
  return nowMs + share * (nextCheckAtMs({ ...facts, fromMs: nowMs }) - nowMs);
}
