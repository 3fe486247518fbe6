import { chmodSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { replaceFile } from '../system/atomic-write.ts';
import { type FileLock, lockFile } from '../system/flock.ts';
import { makeOwnDirectory } from '../system/own-file.ts';
import { MAX_SOCKET_PATH_BYTES } from '../system/socket-path.ts';
import type { DaemonPaths } from './daemon-paths.ts';
import { lockHolderFileOf, lockHolderOf } from './lock-holder.ts';

/** Others may traverse it, but not list it. */
const PASSABLE = 0o711;
const CLOSED = 0o700;

/**
 * Creates the monitor's directory and takes the lock in it; a client that asked the monitor to end waits for this lock.
 *
 * @param groupId of the group that may use the sockets
 * @throws CONFLICT with the monitor that holds it; CONFIG for a run root that is too long for a socket
 */
export async function lockRunRoot(
  paths: DaemonPaths,
  {
    clock,
    log,
    groupId,
  }: { readonly clock: Clock; readonly log: Pick<Logger, 'warn'>; readonly groupId: number | undefined },
): Promise<FileLock> {
  const onFault = (text: string) => log.warn(text);
  if (Buffer.byteLength(paths.grpcSocket) > MAX_SOCKET_PATH_BYTES)
    throw new HealthctlError('CONFIG', `${paths.grpcSocket} is too long for a socket`, {
      hint: 'choose a shorter run root: --run-root or run_root',
    });
  makeOwnDirectory(paths.dir, { onFault });
  try {
    const lock = await lockFile(
      { path: paths.lock, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: 0, onFault },
      clock,
    );
    openDirectories(paths, groupId !== undefined);
    replaceFile(lockHolderFileOf(paths), `${process.pid}\n`);
    return lock;
  } catch (error) {
    if (!hasCode(error, 'TIMEOUT')) throw error;
    throw new HealthctlError('CONFLICT', `a monitor of this containerd runs already: process ${lockHolderOf(paths)}`, {
      hint: 'see it with "healthctl daemon status", end it with "healthctl daemon stop"',
    });
  }
}

/**
 * Makes the directories above the sockets traversable while a group may use these; those of containers stay closed.
 * Without a group they are closed again, unless their mode was changed to another one than ours.
 */
function openDirectories({ dir }: DaemonPaths, isForGroup: boolean): void {
  for (const path of [dirname(dirname(dir)), dirname(dir), dir]) {
    if (isForGroup) chmodSync(path, PASSABLE);
    else if ((statSync(path).mode & 0o777) === PASSABLE) chmodSync(path, CLOSED);
  }
}
