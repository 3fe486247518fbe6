import type { ContainerContext } from '../../container/context.ts';
import { runHealthcheck } from '../../container/healthcheck.ts';
import { resolveView } from '../../container/resolve.ts';
import { nextCheckAtMs, type ScheduleFacts } from '../../health/schedule.ts';
import { hasCode } from '../../lib/errors.ts';
import type { MonitorSettings } from '../../lib/settings.ts';
import { yieldToNerdctl } from '../../monitor/duties/adoption.ts';
import type { ContainerView } from '../../record/view.ts';
import { scheduleFactsOf } from './check-facts.ts';
import type { Timers } from './systemd-timers.ts';
import { leadMsOf, planTimer, type TimerPhase } from './timer-plan.ts';

export interface CheckOnce {
  readonly ctx: ContainerContext;
  readonly timers: Timers;
  readonly id: string;
  readonly adopt: MonitorSettings['adopt'];
  /** Of the timer that started this process. */
  readonly phase: TimerPhase;
  /** Earliest time of the check, wall time in milliseconds. */
  readonly notBeforeMs: number;
  readonly signal: AbortSignal;
}

/**
 * Makes one check of a container when it is due, for a timer that started this process a little earlier. Afterwards it
 * sets the timer that the container needs: another one after the start period, none if the container no longer runs or
 * nerdctl's timer checks it.
 *
 * @throws the check's errors; ABORTED if the signal fires
 */
export async function checkOnce(job: CheckOnce): Promise<void> {
  const { ctx, id, signal } = job;
  const facts = await factsOrRemove(job);
  if (!facts) return;
  await ctx.clock.sleep(delayMsOf(facts, { nowMs: ctx.clock.now(), notBeforeMs: job.notBeforeMs }), signal);
  if (signal.aborted) return;
  try {
    await runHealthcheck(ctx, id, signal);
  } catch (error) {
    // Ended, paused or removed since we read its facts: the next read shows which.
    if (!hasCode(error, 'CONFLICT', 'NOT_FOUND')) throw error;
  }
  if (signal.aborted) return;
  const after = await factsOrRemove(job);
  if (after) await job.timers.replaceOwnTimer(subjectOf(job), job.phase, planTimer(after));
}

const subjectOf = ({ ctx, id }: CheckOnce) => ({ namespace: ctx.containerd.namespace, id });

/** A container that another tool paused keeps its timer: it would not be created again on resume. */
async function factsOrRemove(job: CheckOnce): Promise<ScheduleFacts | undefined> {
  const view = await findView(job);
  if (view?.taskView.kind === 'paused') return undefined;
  const isToCheck = view && !(await yieldToNerdctl(job.ctx, view.record, job));
  const facts = isToCheck ? await scheduleFactsOf(job.ctx, view) : undefined;
  if (!facts) await job.timers.removeOwnTimer(subjectOf(job), job.phase);
  return facts;
}

/** By its whole id: another container may have it as a prefix. */
async function findView({ ctx, id, signal }: CheckOnce): Promise<ContainerView | undefined> {
  try {
    const view = await resolveView(ctx, id, { signal });
    return view.record.id === id ? view : undefined;
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND', 'AMBIGUOUS')) return undefined;
    throw error;
  }
}

/** How long to wait for the check. An impossibly long wait comes from a clock that was set back, and counts as none. */
export function delayMsOf(
  facts: ScheduleFacts,
  { nowMs, notBeforeMs }: { readonly nowMs: number; readonly notBeforeMs: number },
): number {
  const waitMs = nextCheckAtMs({ ...facts, fromMs: nowMs }) - nowMs;
  const delayMs = Math.max(nextCheckAtMs(facts), notBeforeMs) - nowMs;
  return delayMs > waitMs + leadMsOf(waitMs) ? 0 : Math.max(0, delayMs);
}
