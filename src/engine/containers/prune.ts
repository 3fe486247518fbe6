import { pruneContainers } from '../../container/prune.ts';
import { parseEventTime, timeReference } from '../../events/time.ts';
import { parsePruneFilter } from '../../lib/prune-filter.ts';
import { filterTextsOf, parseFilters } from '../filters.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';

export function pruneRoutes({ ctx, host, clock }: EngineDeps): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/containers/prune',
      handle: async ({ query, signal }) => {
        const texts = filterTextsOf(parseFilters(query.text('filters')));
        const filter = parsePruneFilter(texts, (text) => parseEventTime(text, timeReference(clock.now())));
        const { ids, reclaimed } = await pruneContainers(ctx, { filter, onRemoved: host.refresh, signal });
        return json({ ContainersDeleted: ids.length === 0 ? null : ids, SpaceReclaimed: reclaimed });
      },
    },
  ];
}
