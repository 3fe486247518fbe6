import { as, type Guard, isDate, isNumber, isText, objectIn, objectOf, oneOf, optional } from '../lib/shape.ts';
import { type Result, rfc3339FromMillis } from './result.ts';
import { HEALTH_STATUSES, type HealthState, type HealthStatus } from './state.ts';

/** Docker's HealthcheckResult, with keys in Docker's order: in `inspect`, in the API and in `health.json`. */
export interface ResultDocument {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

/** Docker's Health, likewise. */
export interface HealthDocument<Status extends string = HealthStatus> {
  readonly Status: Status;
  readonly FailingStreak: number;
  readonly Log: readonly ResultDocument[];
}

const isInteger: Guard<number> = (value): value is number => Number.isInteger(value);
const isStatus = oneOf(HEALTH_STATUSES);
const isResult = objectOf({ Start: isDate, End: isDate, ExitCode: isInteger, Output: optional(isText) });

/**
 * Reads the label `nerdctl/healthstate`; undefined if it contains nothing usable. `Run` is missing where nerdctl wrote
 * it.
 */
export function parseHealthState(value: unknown): HealthState | undefined {
  const { Status, FailingStreak: streak, InStartPeriod, Run: run, TestSince: testSince } = objectIn(value);
  const status = as(isStatus, Status);
  if (!status || !isInteger(streak) || streak < 0) return undefined;
  return {
    status,
    failingStreak: streak,
    inStartPeriod: InStartPeriod === true,
    run: isText(run) && run !== '' ? run : undefined,
    ...(isDate(testSince) ? { testSinceMs: Date.parse(testSince) } : {}),
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
  if (!isResult(value)) return undefined;
  const { Start: start, End: end, ExitCode: exitCode, Output: output = '' } = value;
  const { EndBoot: endBootMs } = objectIn(value);
  const boot = isNumber(endBootMs) && endBootMs >= 0 ? { endBootMs } : {};
  return { start, end, exitCode, output, ...boot };
}

export function jsonFromResult(result: Result): ResultDocument {
  return { Start: result.start, End: result.end, ExitCode: result.exitCode, Output: result.output };
}

/** What `inspect` and the API show of a container's health. */
export function healthDocumentOf<Status extends string>(health: {
  readonly status: Status;
  readonly failingStreak: number;
  readonly log: readonly Result[];
}): HealthDocument<Status> {
  return { Status: health.status, FailingStreak: health.failingStreak, Log: health.log.map(jsonFromResult) };
}
