import { constants, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { namespaceRunDir } from '../lib/dirs.ts';
import { errnoOf } from '../lib/errors.ts';
import { type FileLock, lockFile } from '../system/flock.ts';
import type { ContainerContext } from './context.ts';

/** Longer than a container takes to die and its network to be released. */
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Runs `work` while no other process of ours removes this container: a command and the monitor both remove one that
 * ends with `--rm`. The lock file is removed with the lock: a process that waited for it creates another one.
 *
 * If the run root cannot be written, for example because it is full, the work is done without a lock: removing
 * containers then helps.
 */
export async function withRemovalLock<T>(ctx: ContainerContext, id: string, work: () => Promise<T>): Promise<T> {
  const path = join(namespaceRunDir(ctx.dirs, ctx.containerd.namespace), `.removal-${id}.lock`);
  const lock = await takeLock(ctx, path);
  try {
    return await work();
  } finally {
    if (lock) rmSync(path, { force: true });
    lock?.release();
  }
}

async function takeLock({ clock, log }: ContainerContext, path: string): Promise<FileLock | undefined> {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return await lockFile({ path, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: LOCK_TIMEOUT_MS }, clock);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOSPC' && errno !== 'EDQUOT' && errno !== 'EROFS' && errno !== 'EACCES') throw error;
    log.debug(`a container is removed without the lock ${path}: ${errno}`);
    return undefined;
  }
}
