import type { ListFilters } from '../record/list-filter.ts';
import type { ContainerView } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { resolveContainer } from './resolve.ts';

/** The states listed without `--all`. */
export const SHOWN_STATES: ReadonlySet<ContainerView['state']> = new Set(['running', 'paused', 'restarting']);

/**
 * The filters `before` and `since`: created before, or after, a container. Throws NOT_FOUND for one that is not there.
 */
export async function createdBetween(
  { containerd }: Pick<ContainerContext, 'containerd'>,
  filters: ListFilters,
  signal: AbortSignal,
): Promise<(view: ContainerView) => boolean> {
  const createdAt = async (key: 'before' | 'since'): Promise<number | undefined> => {
    const name = filters.get(key)?.at(-1);
    return name === undefined ? undefined : (await resolveContainer(containerd, name, { signal })).createdAtMs;
  };
  const [before, since] = [await createdAt('before'), await createdAt('since')];
  return ({ record }) =>
    (before === undefined || record.createdAtMs < before) && (since === undefined || record.createdAtMs > since);
}
