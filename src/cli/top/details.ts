import { viewRecord } from '../../container/resolve.ts';
import type { Result } from '../../health/result.ts';
import { type ContainerWorld, openContainers, worldIn } from '../context.ts';
import { explainedOf } from '../explained.ts';
import { explanationPage } from '../format/explanation.ts';
import type { TopRow } from './model.ts';
import type { TopPast } from './past.ts';
import type { Details, PastResult } from './state.ts';

/** The page of a container. Throws NOT_FOUND when it is gone. */
export async function readDetails(
  world: ContainerWorld,
  { key, namespace, id }: TopRow,
  past: Pick<TopPast, 'results'>,
): Promise<Details> {
  const own = namespace === world.settings.namespace ? world : worldIn(world, namespace);
  const ctx = await openContainers(own);
  const view = await viewRecord(ctx, await ctx.containerd.containers.get(id), { signal: world.signal });
  const explained = await explainedOf(own, ctx, view);
  const results = mergedResults(explained.explanation.log, past.results(key));
  return { key, about: explanationPage(explained, { withFailures: false }), results };
}

/** The health log has whole outputs, the history more results. @returns the newest first */
export function mergedResults(log: readonly Result[], past: readonly PastResult[]): readonly PastResult[] {
  const kept = log.map(({ start, end, exitCode, output }): PastResult => {
    const atMs = Date.parse(start);
    return { atMs, durationMs: Math.max(0, Date.parse(end) - atMs), exitCode, output };
  });
  const times = new Set(kept.map(({ atMs }) => Math.round(atMs)));
  return [...kept, ...past.filter(({ atMs }) => !times.has(atMs))].sort((a, b) => b.atMs - a.atMs);
}
