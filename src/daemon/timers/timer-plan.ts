import { isInStartPeriod, nextCheckAtMs, type ScheduleFacts } from '../../health/schedule.ts';

/** The wait that a timer repeats: the start interval, inside the start period, or the interval. */
export type TimerPhase = 'starting' | 'regular';

export interface TimerPlan {
  readonly phase: TimerPhase;
  /** When the next check is due, on the clock of the facts. */
  readonly dueMs: number;
  /** From the end of a check to the next one. */
  readonly waitMs: number;
}

const NS_PER_MS = 1e6;

/**
 * The timer that a container needs. A timer of the start interval serves while that is the wait: at the end of the
 * start period, or when it cuts the wait short, the timer of the interval takes over.
 */
export function planTimer(facts: ScheduleFacts): TimerPlan {
  const dueMs = nextCheckAtMs(facts);
  const startMs = facts.config.startIntervalNs / NS_PER_MS;
  if (isInStartPeriod(facts) && dueMs === facts.fromMs + startMs) return { phase: 'starting', dueMs, waitMs: startMs };
  return { phase: 'regular', dueMs, waitMs: facts.config.intervalNs / NS_PER_MS };
}

/** Longest time from the start of our process to the start of a check, unless the machine is overloaded. */
const LEAD_MS = 500;

/** How much earlier than the check its process is started: it then waits for the exact moment. */
export function leadMsOf(waitMs: number): number {
  return Math.min(LEAD_MS, waitMs / 2);
}
