import type { ContainerContext } from '../container/context.ts';
import { readHealth } from '../container/health.ts';
import { viewRecord } from '../container/resolve.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { type HealthAge, healthAgeOf, staleHealthWarning } from './stale-health.ts';

/** Between two looks. */
const LOOK_MS = 5_000;

/**
 * Watches over a wait for the health of a container, which would take for ever where the checks have stopped: the monitor was killed, say.
 * Resolves when the signal fires.
 *
 * @throws UNAVAILABLE when a check is overdue
 */
export async function untilUnchecked(ctx: ContainerContext, id: string, signal: AbortSignal): Promise<void> {
  const { clock } = ctx;
  const [beganMs, beganBootMs] = [clock.now(), clock.boot()];
  for (;;) {
    await clock.sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    const steadyMs = beganMs + clock.boot() - beganBootMs;
    const warning = await overdueText(ctx, id, steadyMs);
    if (warning !== undefined) throw new HealthctlError('UNAVAILABLE', warning, { exitCode: 1 });
  }
}

/** Undefined also for a container that is gone, and while containerd does not answer: whoever waits sees that himself. */
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
 * What counts as now for the last check: where the wall clock was set forward since we wait, and the check was before that, the time that it
 * would be without.
 *
 * @param times.steadyMs when we began to wait, and what has passed since
 */
export function momentFor(
  { lastEndMs = Number.NEGATIVE_INFINITY }: Pick<HealthAge, 'lastEndMs'>,
  { nowMs, steadyMs }: { readonly nowMs: number; readonly steadyMs: number },
): number {
  return lastEndMs > steadyMs ? nowMs : Math.min(nowMs, steadyMs);
}
