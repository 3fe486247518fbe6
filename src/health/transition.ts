import type { HealthConfig } from './config.ts';
import type { Result } from './result.ts';
import type { HealthState, Run } from './state.ts';

export interface Transition {
  readonly state: HealthState;
  /** Whether this result changed the status: only then is there a `health_status` event. */
  readonly statusChanged: boolean;
}

/**
 * The state machine: the state after a result (Docker: daemon/health.go handleProbeResult).
 *
 * A success at any time gives `healthy` with a streak of 0. A failure while `starting` inside the start period, counted
 * from the start of the run or from a change of its test, is logged and changes nothing. Every other failure adds to
 * the streak; from `retries` on, the container is `unhealthy`.
 *
 * @param from.before the effective state before the result
 * @param from.testedForMs how long the run had had its present test when the check began: see testedForMs in state.ts
 */
export function transition(from: {
  readonly before: Pick<HealthState, 'status' | 'failingStreak'>;
  readonly result: Pick<Result, 'exitCode'>;
  readonly testedForMs: number;
  readonly config: Pick<HealthConfig, 'startPeriodNs' | 'retries'>;
  readonly run: Run;
}): Transition {
  const { before, result, testedForMs, config, run } = from;
  const stateOf = (status: HealthState['status'], failingStreak: number, inStartPeriod = false): Transition => ({
    state: {
      ...{ status, failingStreak, inStartPeriod, run: run.id },
      ...(run.testSinceMs === undefined ? {} : { testSinceMs: run.testSinceMs }),
    },
    statusChanged: status !== before.status,
  });
  if (result.exitCode === 0) return stateOf('healthy', 0);
  if (before.status === 'starting' && testedForMs < config.startPeriodNs / 1e6)
    return stateOf('starting', before.failingStreak, true);
  const streak = before.failingStreak + 1;
  return stateOf(streak >= config.retries ? 'unhealthy' : before.status, streak);
}

/**
 * Whether to write the mirror label after a result. A container that stays unhealthy costs no database write per check:
 * past `retries` the streak alone is not worth one.
 */
export function isMirrorDue(change: {
  readonly mirrored: HealthState | undefined;
  readonly after: HealthState;
  readonly retries: number;
}): boolean {
  const { mirrored, after, retries } = change;
  if (!mirrored || mirrored.status !== after.status || mirrored.run !== after.run) return true;
  return (
    mirrored.failingStreak !== after.failingStreak && Math.min(mirrored.failingStreak, after.failingStreak) < retries
  );
}
