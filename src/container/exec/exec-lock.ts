import { constants } from 'node:fs';
import { runDirOf } from '../../lib/dirs.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import type { ContainerView } from '../../record/view.ts';
import { type FileLock, lockFile } from '../../system/flock.ts';
import type { ContainerContext } from '../context.ts';

type LockContext = Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>;

/** Shared by processes that start an exec, exclusive for a pause of the container. */
const START_LOCK = 'exec.lock';
/** Taken before the other lock, so that a pause gets its turn even if execs are started all the time. */
const TURN_LOCK = 'exec-turn.lock';
/** Longer than a pause, and than the limit on the start of an exec. */
const LIMIT_MS = 35_000;

/**
 * Starts an exec while its container is not being paused: an exec frozen during its creation hangs the shim. The
 * container's run directory must exist.
 *
 * @throws TIMEOUT if a pause does not end; ABORTED if the signal fires
 */
export async function whileStarting<T>(
  ctx: LockContext,
  containerId: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const lock = await takeBoth(ctx, containerId, { isShared: true, timeoutMs: LIMIT_MS, signal });
  lock.turn.release();
  try {
    return await work();
  } finally {
    lock.start.release();
  }
}

/**
 * Runs work while no exec of a container is being started, and none can begin.
 *
 * @throws TIMEOUT if the start of an exec does not end
 */
export async function whileNoneStarts<T>(
  ctx: LockContext,
  { record, name }: Pick<ContainerView, 'record' | 'name'>,
  work: () => Promise<T>,
): Promise<T> {
  let lock: Awaited<ReturnType<typeof takeBoth>>;
  try {
    lock = await takeBoth(ctx, record.id, { isShared: false, timeoutMs: LIMIT_MS });
  } catch (error) {
    if (!hasCode(error, 'TIMEOUT')) throw error;
    const message = `container ${name} was not paused: the start of an exec in it does not end`;
    throw new HealthctlError('TIMEOUT', message, { cause: error });
  }
  try {
    return await work();
  } finally {
    lock.start.release();
    lock.turn.release();
  }
}

interface Wait {
  readonly isShared: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

async function takeBoth(
  { containerd, clock, dirs }: LockContext,
  id: string,
  wait: Wait,
): Promise<{ readonly turn: FileLock; readonly start: FileLock }> {
  const runDir = runDirOf(dirs, { namespace: containerd.namespace, id });
  const take = (name: string): Promise<FileLock> => {
    const flags = constants.O_RDWR | constants.O_CREAT;
    return lockFile({ path: `${runDir}/${name}`, flags, ...wait, onFault: dirs.onFault }, clock);
  };
  const turn = await take(TURN_LOCK);
  try {
    return { turn, start: await take(START_LOCK) };
  } catch (error) {
    turn.release();
    throw error;
  }
}
