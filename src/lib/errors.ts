/**
 * The error class of healthctl. Foreign errors are translated into it once, at the edge; it is printed once, in
 * cli/render.ts.
 *
 * `code` is stable, and callers catch by it; `message` contains the offending value; `hint` says what to do.
 */
export class HealthctlError extends Error {
  override readonly name = 'HealthctlError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Overrides the exit status of the command (Docker: 1, and 125 for `run`). */
  readonly exitCode: number | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode;
  }
}

/** All error codes that a caller can distinguish. */
export type ErrorCode =
  | 'USAGE' // the command line is wrong
  | 'CONFIG' // a configuration file, environment variable or stored document is wrong
  | 'INVALID' // a value that parses is not allowed
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'AMBIGUOUS' // a prefix matches several objects
  | 'CONFLICT' // the object is in a state that does not allow the request
  | 'UNKNOWN' // the present state of the object cannot be determined
  | 'UNWATCHED' // the monitor does not monitor this namespace: ask containerd
  | 'UNAVAILABLE' // a daemon or registry does not answer
  | 'DENIED' // permission
  | 'TIMEOUT'
  | 'EXHAUSTED' // no space, no memory, too many
  | 'CORRUPT' // stored or received data is damaged
  | 'RUNTIME' // the OCI runtime failed
  | 'ABORTED' // cancelled by an AbortSignal; not a failure
  | 'INTERNAL';

/** Whether an error is a HealthctlError with one of these codes. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): error is HealthctlError {
  return error instanceof HealthctlError && codes.includes(error.code);
}

/** The errno name (`ENOENT`) of a Node.js system error, else undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/**
 * The message of any thrown value. For a system error, file and reason in words: `/var/lib/x: no space left on device`,
 * not `ENOSPC: no space left on device, open '/var/lib/x'`.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = reasonOf(error);
  if (reason === undefined || !error.message.startsWith(`${errnoOf(error)}: `)) return error.message;
  const { path, dest, syscall } = error as {
    readonly path?: unknown;
    readonly dest?: unknown;
    readonly syscall?: unknown;
  };
  const names = [path, dest].filter((name): name is string => typeof name === 'string');
  return `${names.length > 0 ? names.join(' -> ') : (syscall ?? 'system call')}: ${reason}`;
}

/** The C library's texts, in lower case as in Docker's tools. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'device or resource busy',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'file exists',
  EFBIG: 'file too large',
  EINVAL: 'invalid argument',
  EIO: 'input/output error',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'file name too long',
  ENFILE: 'too many open files in system',
  ENODEV: 'no such device',
  ENOENT: 'no such file or directory',
  ENOMEM: 'cannot allocate memory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  ENXIO: 'no such device or address',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
  ESTALE: 'stale file handle',
  ETXTBSY: 'text file busy',
  EXDEV: 'invalid cross-device link',
};

/** Why a file could not be opened, in the C library's words, as in Docker's tools; the message of any other error. */
export function fileReasonOf(error: unknown): string {
  return reasonOf(error) ?? messageOf(error);
}

const reasonOf = (error: unknown): string | undefined => REASONS[errnoOf(error) ?? ''];
