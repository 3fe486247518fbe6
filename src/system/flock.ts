import { closeSync, constants, lstatSync } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { OnFault } from '../lib/fault-reporter.ts';
import { openLibc, systemError } from './libc.ts';
import { openPlain, reasonOfForeign, setAside } from './own-file.ts';
import { type FileFacts, factsOfOpen, factsOfPath } from './statx.ts';

/** A lock that is held. It is released at once if the process dies. */
export interface FileLock {
  /** The locked file or directory. */
  readonly fd: number;
  /** Facts of the file, read with the lock held. */
  readonly facts: FileFacts;
  release(): void;
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

export interface LockRequest {
  readonly path: string;
  /**
   * Flags of open(2), e.g. O_RDONLY | O_DIRECTORY; O_NOFOLLOW, O_NONBLOCK and O_CLOEXEC are always set. With O_CREAT
   * the file is ours: anything else under its name is set aside.
   */
  readonly flags: number;
  /** Mode of a file created by O_CREAT. Default 0600. */
  readonly mode?: number;
  /** A shared lock: several processes may hold it together, but no exclusive holder at the same time. Default false. */
  readonly isShared?: boolean;
  /** How long to wait for another holder. Infinity: until the signal fires. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called for an object that was set aside. */
  readonly onFault?: OnFault | undefined;
  /** Called before O_CREAT creates a missing file. If it throws, no file is created. */
  readonly beforeCreating?: () => Promise<void>;
}

/**
 * Takes a flock(2) on the object at `path`, exclusive unless `isShared`, without blocking the event loop.
 *
 * After locking, it compares the inode with the one now at the path: the path may have been replaced, or its directory
 * renamed, while we waited. It then opens the path again.
 *
 * @throws TIMEOUT if another process holds the lock for too long, ABORTED if the signal fires, ENOENT and the like as
 *   system errors
 */
export async function lockFile(request: LockRequest, clock: Clock): Promise<FileLock> {
  const { path, timeoutMs, signal } = request;
  const deadline = clock.monotonic() + timeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    if (signal?.aborted) throw new HealthctlError('ABORTED', `waiting for the lock ${path} was cancelled`);
    const fd = await openToLock(request);
    const state = tryLock(fd, path, request.isShared === true ? LOCK_SH : LOCK_EX);
    const isOurs = typeof state !== 'string' && (state.isFile || !isMade(request));
    if (isOurs) return { fd, facts: state, release: () => closeSync(fd) };
    closeSync(fd);
    if (typeof state !== 'string') {
      if (!setAside(path, 'not a regular file', { onFault: request.onFault })) throw notOurs(path);
      continue;
    }
    if (state === 'replaced') continue;
    if (clock.monotonic() >= deadline) {
      throw new HealthctlError('TIMEOUT', `another process holds the lock ${path}`, {
        hint: `see who does: fuser ${path}`,
      });
    }
    await clock.sleep(Math.min(2 * 2 ** Math.min(attempt, 4), 30), signal);
  }
}

const isMade = ({ flags }: LockRequest): boolean => (flags & constants.O_CREAT) !== 0;

const notOurs = (path: string): HealthctlError =>
  new HealthctlError('CORRUPT', `${path} is not a regular file, and cannot be a lock`, { hint: 'move it away' });

async function openToLock(request: LockRequest): Promise<number> {
  const { path, flags, mode = 0o600, onFault, beforeCreating } = request;
  const isMissing = () => lstatSync(path, { throwIfNoEntry: false }) === undefined;
  if (beforeCreating && isMade(request) && isMissing()) await beforeCreating();
  const open = () => openPlain(path, flags, mode);
  try {
    return open();
  } catch (error) {
    const reason = isMade(request) ? reasonOfForeign(path, error) : undefined;
    if (reason === undefined) throw error;
    if (!setAside(path, reason, { onFault })) throw notOurs(path);
    return open();
  }
}

/** One attempt; the descriptor always stays open. */
function tryLock(fd: number, path: string, operation: number): FileFacts | 'held' | 'replaced' {
  const libc = openLibc();
  if (libc.func('int flock(int fd, int operation)')(fd, operation | LOCK_NB) !== 0) {
    const error = systemError(libc, 'flock', path);
    if (error.code === 'EAGAIN' || error.code === 'EINTR') return 'held';
    throw error;
  }
  const held = factsOfOpen(fd);
  const named = factsOfPath(path);
  return named?.inode === held.inode && named.device === held.device ? held : 'replaced';
}
