import { hasCode } from '../../lib/errors.ts';
import type { ContainerView } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { viewRecord } from '../resolve.ts';
import { readSample, type Sample } from './sample.ts';

type StatsContext = Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>;

/** Time between two samples, as in Docker. */
export const SAMPLE_INTERVAL_MS = 1000;

export interface Measured {
  readonly now: Sample | undefined;
  /** The sample before, of the same run. */
  readonly before: Sample | undefined;
}

/**
 * Samples of a container each second, also while it does not run, until it is removed or the signal fires. containerd
 * is asked only when the process that ran is gone.
 */
export async function* followStats(
  ctx: StatsContext,
  view: ContainerView,
  signal: AbortSignal,
): AsyncGenerator<Measured> {
  let present: ContainerView | undefined = view;
  let before: Sample | undefined;
  while (!signal.aborted) {
    let now = readSample(present, ctx.clock.now());
    if (!now) {
      before = undefined;
      present = await viewAgain(ctx, present, signal);
      if (!present) return;
      now = readSample(present, ctx.clock.now());
    }
    yield { now, before };
    before = now;
    await ctx.clock.sleep(SAMPLE_INTERVAL_MS, signal);
  }
}

/** Undefined if it was removed. */
async function viewAgain(
  ctx: StatsContext,
  { record }: ContainerView,
  signal: AbortSignal,
): Promise<ContainerView | undefined> {
  try {
    return await viewRecord(ctx, await ctx.containerd.containers.get(record.id, { signal }), { signal });
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}
