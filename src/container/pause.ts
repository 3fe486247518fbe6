import { isFinished } from '../containerd/runtime-texts.ts';
import { runDirOf } from '../lib/dirs.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { endChecks } from '../probe/check-execs.ts';
import { type ContainerView, refuseUnknown, unknownStateError } from '../record/view.ts';
import { checkLockOf } from '../store/file-health-store.ts';
import { lockHolder } from '../system/lock-holder.ts';
import type { ContainerContext } from './context.ts';
import { whileNoneStarts } from './exec/exec-lock.ts';

/** How often a check in flight is killed again: an exec that is still being created has no process to kill. */
const END_EVERY_MS = 10;
/** Longer than the limit on the start of an exec. */
const CHECK_LIMIT_MS = 35_000;
/** Wait before, and between, tests whether the holder of the check lock was stopped by a signal. */
const HOLDER_POLL_MS = 3_000;
const RESUME_LIMIT_MS = 15_000;

/**
 * Freezes a container under its check lock, and while no exec is being started: an exec frozen during its creation
 * hangs the shim. A check in flight is ended first: its process would be frozen too, and its result says nothing.
 *
 * @throws CONFLICT with Docker's texts; UNKNOWN; TIMEOUT if a check, or the start of an exec, does not end
 */
export async function pauseContainer(ctx: ContainerContext, view: ContainerView): Promise<void> {
  const { id } = view.record;
  refuseUnknown(view);
  if (view.state === 'paused') throw new HealthctlError('CONFLICT', `Container ${id} is already paused`);
  if (view.state !== 'running') throw new HealthctlError('CONFLICT', `container ${id} is not running`);
  await withoutChecks(ctx, view, () => whileNoneStarts(ctx, view, () => ctx.containerd.tasks.pause(id)));
}

/** Runs work while no check of a container is in flight, and none can begin. */
async function withoutChecks(ctx: ContainerContext, { record, name }: ContainerView, work: () => Promise<void>) {
  const { clock, store, containerd } = ctx;
  const subject = { namespace: containerd.namespace, id: record.id, labels: record.labels };
  const tooLong = new AbortController();
  const held = new AbortController();
  const expire = clock.after(CHECK_LIMIT_MS, () => tooLong.abort());
  const lockPath = checkLockOf(ctx.dirs, subject);
  const isWaiting = AbortSignal.any([held.signal, tooLong.signal]);
  const stopped = stoppedHolder(ctx, lockPath, isWaiting);
  stopped.then(
    (pid) => pid !== undefined && tooLong.abort(),
    () => undefined, // the limit ends the wait
  );
  const ending = endWhileInFlight(ctx, record.id, isWaiting);
  ending.catch(() => undefined); // handled when the lock is held or cannot be had
  try {
    await store.withCheckLock(
      subject,
      async () => {
        held.abort();
        await ending;
        await work();
      },
      tooLong.signal,
    );
  } catch (error) {
    if (!tooLong.signal.aborted || !hasCode(error, 'ABORTED')) throw error;
    throw notPaused(name, await stopped, error);
  } finally {
    expire.cancel();
    held.abort();
  }
}

/** The holder of the lock, as soon as it is found stopped by a signal; undefined when the wait for the lock is over. */
async function stoppedHolder(
  { clock }: ContainerContext,
  path: string,
  over: AbortSignal,
): Promise<number | undefined> {
  for (;;) {
    await clock.sleep(HOLDER_POLL_MS, over);
    if (over.aborted) return undefined;
    const holder = lockHolder(path);
    if (holder?.isStopped) return holder.pid;
  }
}

function notPaused(name: string, stoppedPid: number | undefined, cause: unknown): HealthctlError {
  if (stoppedPid === undefined)
    return new HealthctlError('TIMEOUT', `container ${name} was not paused: a health check of it does not end`, {
      cause,
    });
  return new HealthctlError(
    'UNAVAILABLE',
    `container ${name} was not paused: process ${stoppedPid}, which checks it, does not answer`,
    { cause, hint: `it was stopped; continue it with "kill -CONT ${stoppedPid}"` },
  );
}

async function endWhileInFlight(ctx: ContainerContext, containerId: string, over: AbortSignal): Promise<void> {
  const scratchDir = runDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: containerId });
  for (;;) {
    await ctx.clock.sleep(END_EVERY_MS, over);
    if (over.aborted) return;
    await endChecks(ctx.containerd.tasks, { containerId, scratchDir });
  }
}

/**
 * Resumes a container. This also helps a shim that hangs because of the pause, so a container of unknown state is not
 * refused.
 */
export async function unpauseContainer(ctx: ContainerContext, view: ContainerView): Promise<void> {
  const { id } = view.record;
  if (view.state !== 'paused' && !view.isStateUnknown)
    throw new HealthctlError('CONFLICT', `Container ${id} is not paused`);
  try {
    await ctx.containerd.tasks.resume(id, { timeoutMs: RESUME_LIMIT_MS });
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND'))
      throw new HealthctlError('CONFLICT', `container ${id} is not running`, { cause: error });
    if (isFinished(error)) throw new HealthctlError('CONFLICT', `Container ${id} is not paused`, { cause: error });
    if (view.isStateUnknown || hasCode(error, 'TIMEOUT')) throw unknownStateError(view.name, error);
    throw error;
  }
}
