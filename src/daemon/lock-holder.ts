import { HealthctlError } from '../lib/errors.ts';
import { readOwnText } from '../system/own-file.ts';
import type { DaemonPaths } from './daemon-paths.ts';

/** The file to which a monitor that holds the lock writes its process id. */
export const lockHolderFileOf = ({ lock }: Pick<DaemonPaths, 'lock'>): string => `${lock}.owner`;

/** The process id of the monitor that holds the lock, or `unknown`. */
export function lockHolderOf(paths: Pick<DaemonPaths, 'lock'>): string {
  const text = readOwnText(lockHolderFileOf(paths))?.trim() ?? '';
  return /^\d{1,10}$/.test(text) ? text : 'unknown';
}

/** A monitor that runs but does not answer: stopped by a signal, or stuck in a file system that hangs. */
export function silentMonitorError(paths: Pick<DaemonPaths, 'lock'>): HealthctlError {
  const pid = lockHolderOf(paths);
  return new HealthctlError('UNAVAILABLE', `the monitor, process ${pid}, does not answer`, {
    hint: `if it was stopped, continue it with "kill -CONT ${pid}"; else end it with "kill -KILL ${pid}": nothing is lost`,
  });
}

/** Exit status of a command that cannot find out whether a monitor runs: as in Linux init scripts (LSB, "status"). */
export const UNKNOWN_STATUS = 4;

/** Unknown whether a monitor runs: we lack permission to ask. */
export function deniedMonitorError({ apiSocket }: Pick<DaemonPaths, 'apiSocket'>): HealthctlError {
  return new HealthctlError(
    'DENIED',
    `whether a monitor runs is not known: permission denied while connecting to ${apiSocket}`,
    { hint: 'ask as root, or as a member of the group that socket_group names', exitCode: UNKNOWN_STATUS },
  );
}

/** A monitor that runs and closes connections without an answer. */
export function brokenMonitorError(paths: Pick<DaemonPaths, 'lock'>): HealthctlError {
  return new HealthctlError('UNAVAILABLE', `the monitor, process ${lockHolderOf(paths)}, runs and cannot answer`, {
    hint: 'it may have no file descriptors left, so that checks cannot be made either: see "healthctl daemon logs"',
    exitCode: UNKNOWN_STATUS,
  });
}

/** A monitor of our API version whose answer has another form: of another build. */
export function unreadableMonitorError(paths: Pick<DaemonPaths, 'lock'>): HealthctlError {
  return new HealthctlError(
    'UNAVAILABLE',
    `the answer of the monitor, process ${lockHolderOf(paths)}, cannot be read`,
    {
      hint: 'it was started by another build of healthctl: end it with "healthctl daemon stop", and the next command starts this one',
      exitCode: UNKNOWN_STATUS,
    },
  );
}

/** A monitor that we do not understand, and leave alone. */
export function newerMonitorError(paths: Pick<DaemonPaths, 'lock'>): HealthctlError {
  return new HealthctlError('CONFLICT', `the monitor, process ${lockHolderOf(paths)}, is of a newer healthctl`, {
    hint: 'use that one, or end the monitor with it',
  });
}

/** A monitor that holds the lock, and does not listen: it starts, or has not yet released everything at its end. */
export function endingMonitorError(paths: Pick<DaemonPaths, 'lock'>): HealthctlError {
  const pid = lockHolderOf(paths);
  return new HealthctlError('TIMEOUT', `the monitor, process ${pid}, starts or ends, and does not answer yet`, {
    hint: `try again; its log says what it waits for; "kill -KILL ${pid}" ends it at once: nothing is lost`,
  });
}
