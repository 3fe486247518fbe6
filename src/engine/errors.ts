import { type ErrorCode, HealthctlError, messageOf } from '../lib/errors.ts';

/** A refusal with the status that Docker gives it, where that does not follow from an error's code. */
export class EngineError extends HealthctlError {
  readonly status: number;
  /** Whether the answer is plain text instead of `{"message":…}`. */
  readonly isPlain: boolean;
  constructor(
    status: number,
    message: string,
    { isPlain = false, cause }: { readonly isPlain?: boolean; readonly cause?: unknown } = {},
  ) {
    super(codeFor(status), message, cause === undefined ? {} : { cause });
    this.status = status;
    this.isPlain = isPlain;
  }
}

function codeFor(status: number): ErrorCode {
  if (status === 404) return 'NOT_FOUND';
  if (status === 409) return 'CONFLICT';
  return status < 500 ? 'INVALID' : 'INTERNAL';
}

/** Docker's status for each kind of error (moby: daemon/server/httpstatus/status.go); 500 for all others. */
const STATUSES: Partial<Readonly<Record<ErrorCode, number>>> = {
  USAGE: 400,
  INVALID: 400,
  AMBIGUOUS: 400,
  DENIED: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  ALREADY_EXISTS: 409,
};

/** The HTTP status of an error. */
export function statusOf(error: unknown): number {
  if (error instanceof EngineError) return error.status;
  return (error instanceof HealthctlError ? STATUSES[error.code] : undefined) ?? 500;
}

/**
 * Runs work whose errors of some codes have another status than usual.
 *
 * @param statuses e.g. `{ CONFLICT: 500 }`
 * @public
 */
export async function withStatuses<T>(
  statuses: Partial<Readonly<Record<ErrorCode, number>>>,
  work: () => Promise<T> | T,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const status =
      error instanceof HealthctlError && !(error instanceof EngineError) ? statuses[error.code] : undefined;
    if (status === undefined) throw error;
    throw new EngineError(status, messageOf(error), { cause: error });
  }
}
