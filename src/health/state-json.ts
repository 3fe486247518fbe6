import { type Result, rfc3339FromMillis } from './result.ts';
import { HEALTH_STATUSES, type HealthState, type HealthStatus } from './state.ts';

/**
 * Reads the label `nerdctl/healthstate`; undefined if it contains nothing usable. `Run` is missing where nerdctl wrote
 * it.
 */
export function parseHealthState(value: unknown): HealthState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const status = HEALTH_STATUSES.find((known): known is HealthStatus => known === fields.Status);
  const streak = fields.FailingStreak;
  if (!status || typeof streak !== 'number' || !Number.isInteger(streak) || streak < 0) return undefined;
  const run = fields.Run;
  const testSinceMs = typeof fields.TestSince === 'string' ? Date.parse(fields.TestSince) : Number.NaN;
  return {
    status,
    failingStreak: streak,
    inStartPeriod: fields.InStartPeriod === true,
    run: typeof run === 'string' && run !== '' ? run : undefined,
    ...(Number.isNaN(testSinceMs) ? {} : { testSinceMs }),
  };
}

export function jsonFromHealthState(state: HealthState): Record<string, unknown> {
  return {
    Status: state.status,
    FailingStreak: state.failingStreak,
    InStartPeriod: state.inStartPeriod,
    ...(state.run === undefined ? {} : { Run: state.run }),
    ...(state.testSinceMs === undefined ? {} : { TestSince: rfc3339FromMillis(state.testSinceMs) }),
  };
}

/** Reads Docker's four keys of a result, and ours; undefined if one of the four is missing. */
export function parseResult(value: unknown): Result | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const { Start: start, End: end, ExitCode: exitCode, Output: output, EndBoot: endBootMs } = fields;
  if (typeof start !== 'string' || Number.isNaN(Date.parse(start))) return undefined;
  if (typeof end !== 'string' || Number.isNaN(Date.parse(end))) return undefined;
  if (typeof exitCode !== 'number' || !Number.isInteger(exitCode)) return undefined;
  if (output !== undefined && typeof output !== 'string') return undefined;
  const boot = typeof endBootMs === 'number' && endBootMs >= 0 ? { endBootMs } : {};
  return { start, end, exitCode, output: output ?? '', ...boot };
}

/** Docker's HealthcheckResult, with keys in Docker's order. */
export function jsonFromResult(result: Result): Record<string, unknown> {
  return { Start: result.start, End: result.end, ExitCode: result.exitCode, Output: result.output };
}
