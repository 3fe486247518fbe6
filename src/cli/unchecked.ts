import type { ContainerContext } from '../container/context.ts';
import { readHealth } from '../container/health.ts';
import { viewRecord } from '../container/resolve.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { healthAgeOf, staleHealthWarning } from './stale-health.ts';

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
  for (;;) {
    await clock.sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    const warning = await overdueText(ctx, id);
    if (warning !== undefined) throw new HealthctlError('UNAVAILABLE', warning, { exitCode: 1 });
  }
}

/** Undefined also for a container that is gone, and while containerd does not answer: whoever waits sees that himself. */
async function overdueText(ctx: ContainerContext, id: string): Promise<string | undefined> {
  try {
    const view = await viewRecord(ctx, await ctx.containerd.containers.get(id));
    const nowMs = ctx.clock.now();
    const age = healthAgeOf({ view, health: await readHealth(ctx, view) }, { nowMs, bootMs: ctx.clock.boot() });
    return staleHealthWarning(age ? [age] : [], { nowMs, whyUnmonitored: undefined });
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND', 'UNAVAILABLE', 'ABORTED')) throw error;
    return undefined;
  }
}
