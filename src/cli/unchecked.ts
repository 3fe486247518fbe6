import type { ContainerContext } from '../container/context.ts';
import { readHealth } from '../container/health.ts';
import { viewRecord } from '../container/resolve.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { type HealthAge, healthAgeOf, staleHealthWarning } from './stale-health.ts';

/** Wait between two reads of the container's health. */
const POLL_MS = 5_000;

/**
 * Ends a wait for a container's health that would never end because checks have stopped, for example because the
 * monitor was killed. Resolves when the signal fires.
 *
 * @throws UNAVAILABLE if a check is overdue
 */
export async function untilUnchecked(ctx: ContainerContext, id: string, signal: AbortSignal): Promise<void> {
  const { clock } = ctx;
  const [beganMs, beganBootMs] = [clock.now(), clock.boot()];
  for (;;) {
    await clock.sleep(POLL_MS, signal);
    if (signal.aborted) return;
    const steadyMs = beganMs + clock.boot() - beganBootMs;
    const warning = await overdueText(ctx, id, steadyMs);
    if (warning !== undefined) throw new HealthctlError('UNAVAILABLE', warning, { exitCode: 1 });
  }
}

/** Undefined also for a container that is gone, and while containerd does not answer: the wait itself notices that. */
async function overdueText(ctx: ContainerContext, id: string, steadyMs: number): Promise<string | undefined> {
  try {
    const view = await viewRecord(ctx, await ctx.containerd.containers.get(id));
    const nowMs = ctx.clock.now();
    const age = healthAgeOf({ view, health: await readHealth(ctx, view) }, { nowMs, bootMs: ctx.clock.boot() });
    if (!age) return undefined;
    const atMs = momentFor(age, { nowMs, steadyMs });
    const fromMs = age.fromMs + atMs - nowMs;
    return staleHealthWarning([{ ...age, fromMs }], { nowMs: atMs, whyUnmonitored: undefined });
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND', 'UNAVAILABLE', 'ABORTED')) throw error;
    return undefined;
  }
}

/**
 * The present wall time, for computing the age of the last check. If the wall clock was set forward during the wait,
 * after the last check, it is the time without that jump.
 *
 * @param times.steadyMs wall time of the beginning of the wait, plus the elapsed time by the monotonic clock
 */
export function momentFor(
  { lastEndMs = Number.NEGATIVE_INFINITY }: Pick<HealthAge, 'lastEndMs'>,
  { nowMs, steadyMs }: { readonly nowMs: number; readonly steadyMs: number },
): number {
  return lastEndMs > steadyMs ? nowMs : Math.min(nowMs, steadyMs);
}
