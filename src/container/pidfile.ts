import { lstatSync, rmSync } from 'node:fs';
import type { ContainerRecord } from '../containerd/containers.ts';
import { errnoOf, fileReasonOf, HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { Logger } from '../lib/logger.ts';
import { replaceFile } from '../system/atomic-write.ts';

type Labelled = Pick<ContainerRecord, 'labels'>;

/**
 * Writes the pid of the main process to the file of `--pidfile`, if given. Throws CONFIG with the file name, also for
 * anything but a regular file, EXHAUSTED without space.
 */
export function writePidfile({ labels }: Labelled, pid: number): void {
  const path = labels[LABELS.pidfile];
  if (!path) return;
  refuseNoFile(path);
  try {
    replaceFile(path, `${pid}`, 0o644);
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause;
    throw new HealthctlError('CONFIG', `failed to write the pidfile: open ${path}: ${fileReasonOf(cause)}`, { cause });
  }
}

/** Throws CONFIG for a path with anything but a regular file: it would be replaced, and removed with the container. */
export function refuseNoFile(path: string): void {
  if (isNoFile(path)) throw new HealthctlError('CONFIG', `failed to write the pidfile: ${path} is not a regular file`);
}

/** A device, FIFO, link or directory of the host, such as /dev/null, is neither replaced nor removed. */
function isNoFile(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isFile();
}

/** Removes it, if it exists. A failure is a warning: the container is removed all the same. */
export function removePidfile({ labels }: Labelled, log: Pick<Logger, 'warn'>): void {
  const path = labels[LABELS.pidfile];
  if (!path) return;
  try {
    if (!isNoFile(path)) rmSync(path, { force: true });
  } catch (error) {
    log.warn(`the pidfile ${path} was not removed: ${fileReasonOf(error)}`);
  }
}
