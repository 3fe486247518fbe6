import { HealthctlError, hasCode } from '../lib/errors.ts';
import { endChecks } from '../probe/check-execs.ts';
import { runDirOf } from '../store/state-dir.ts';
import type { ContainerContext } from './context.ts';
import { type ContainerView, refuseUnknown } from './view.ts';

/** While a check is in flight, it is ended anew this often: one whose exec is only being made has no process yet that could be killed. */
const END_EVERY_MS = 10;
/** Longer than the limit of the start of an exec. */
const CHECK_LIMIT_MS = 35_000;

/**
 * Freezes a container under its check lock: an exec that is frozen while it is being made hangs the shim. A check in flight is ended first: its
 * process would be frozen too, and its result says nothing.
 *
 * @throws CONFLICT with Docker's texts; UNKNOWN; TIMEOUT when a check does not end
 */
export async function pauseContainer(ctx: ContainerContext, view: ContainerView): Promise<void> {
  const { id } = view.record;
  refuseUnknown(view);
  if (view.state === 'paused') throw new HealthctlError('CONFLICT', `Container ${id} is already paused`);
  if (view.state !== 'running') throw new HealthctlError('CONFLICT', `container ${id} is not running`);
  await withoutChecks(ctx, view, () => ctx.containerd.tasks.pause(id));
}

/** Does something while no check of a container is in flight, and none can begin. */
async function withoutChecks(ctx: ContainerContext, { record, name }: ContainerView, work: () => Promise<void>) {
  const { clock, store, containerd } = ctx;
  const subject = { namespace: containerd.namespace, id: record.id, labels: record.labels };
  const tooLong = new AbortController();
  const held = new AbortController();
  const expire = clock.after(CHECK_LIMIT_MS, () => tooLong.abort());
  const ending = endWhileInFlight(ctx, record.id, AbortSignal.any([held.signal, tooLong.signal]));
  ending.catch(() => undefined); // looked at when the lock is held, or not to be had
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
    throw new HealthctlError('TIMEOUT', `container ${name} was not paused: a health check of it does not end`, {
      cause: error,
    });
  } finally {
    expire.cancel();
    held.abort();
  }
}

async function endWhileInFlight(ctx: ContainerContext, containerId: string, over: AbortSignal): Promise<void> {
  const scratchDir = runDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: containerId });
  for (;;) {
    await ctx.clock.sleep(END_EVERY_MS, over);
    if (over.aborted) return;
    await endChecks(ctx.containerd.tasks, { containerId, scratchDir });
  }
}

export async function unpauseContainer(ctx: ContainerContext, view: ContainerView): Promise<void> {
  const { id } = view.record;
  refuseUnknown(view);
  if (view.state !== 'paused') throw new HealthctlError('CONFLICT', `Container ${id} is not paused`);
  try {
    await ctx.containerd.tasks.resume(id);
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND'))
      throw new HealthctlError('CONFLICT', `container ${id} is not running`, { cause: error });
    throw error;
  }
}
