import { formatDuration } from '../go/duration.ts';

/** What a probe saw. */
export type Outcome =
  | { readonly kind: 'exited'; readonly code: number; readonly output: string }
  | { readonly kind: 'timed-out'; readonly timeoutNs: number; readonly output: string }
  /** @see reason the text of the runtime */
  | { readonly kind: 'could-not-start'; readonly reason: string }
  /** Says nothing: the check was cancelled. */
  | { readonly kind: 'cancelled' };

/** The stored form of an outcome: Docker's HealthcheckResult. */
export interface Result {
  /** RFC 3339. When the probe was launched. */
  readonly start: string;
  /** RFC 3339. */
  readonly end: string;
  /** −1 if the command returned no code: it timed out or could not start. */
  readonly exitCode: number;
  readonly output: string;
  /**
   * The end on the boot clock, from which the age is computed: the wall clock may have jumped since. Absent in results
   * by nerdctl or 0.1.0.
   */
  readonly endBootMs?: number;
}

/** The exit code of a probe that returned none. Docker: daemon/health.go exitStatusHealthy and friends. */
const NO_EXIT_CODE = -1;

/** Begins the output of a check over HTTP: its status comes first, the lines of a body follow. */
const HTTP_STATUS = /^(?:[^\n]*, after )?HTTP \d{3}(?![^\s:])/;

/**
 * The line of an output that says most: the last one that a command wrote. Where there is no exit code, it is the first
 * one, which says why; of a check over HTTP it is the one with the status.
 */
export function tellingLine({ exitCode, output }: Pick<Result, 'exitCode' | 'output'>): string {
  const text = output.trim();
  const isFirst = exitCode === NO_EXIT_CODE || HTTP_STATUS.test(text);
  return (text.split('\n').at(isFirst ? 0 : -1) ?? '').trim();
}

/** The exit code of a process killed by SIGKILL. */
export const KILLED_EXIT_CODE = 137;

/** @param times milliseconds since the epoch */
export function resultFromOutcome(
  outcome: Exclude<Outcome, { kind: 'cancelled' }>,
  times: { readonly startMs: number; readonly endMs: number },
): Result {
  const result = (exitCode: number, output: string): Result => ({
    start: rfc3339FromMillis(times.startMs),
    end: rfc3339FromMillis(times.endMs),
    exitCode,
    output,
  });
  switch (outcome.kind) {
    case 'exited':
      return result(outcome.code, outcome.output);
    case 'timed-out':
      return result(NO_EXIT_CODE, timeoutText(outcome));
    case 'could-not-start':
      return result(NO_EXIT_CODE, outcome.reason);
  }
}

const TIMEOUT_TEXT = 'Health check exceeded timeout (';

function timeoutText({ timeoutNs, output }: { timeoutNs: number; output: string }): string {
  const text = `${TIMEOUT_TEXT}${formatDuration(BigInt(Math.round(timeoutNs)))})`;
  return output === '' ? text : `${text}: ${output}`;
}

/** What a stored result came from, for counting. `error`: the check could not be started. */
export type ResultKind = 'success' | 'failure' | 'timeout' | 'error';

/** nerdctl writes the same text for a timeout. */
export function resultKindOf({ exitCode, output }: Pick<Result, 'exitCode' | 'output'>): ResultKind {
  if (exitCode === 0) return 'success';
  if (exitCode !== NO_EXIT_CODE) return 'failure';
  return output.startsWith(TIMEOUT_TEXT) ? 'timeout' : 'error';
}

/** RFC 3339 in UTC; like Go, without trailing zeros in the fraction. */
export function rfc3339FromMillis(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}
