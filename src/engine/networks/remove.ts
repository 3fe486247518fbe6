import { networkContextOf, publisherOf } from '../../container/network/attach.ts';
import { publishNetwork } from '../../events/network-event.ts';
import { parseEventTime, timeReference } from '../../events/time.ts';
import { parsePruneFilter } from '../../lib/prune-filter.ts';
import type { NetworkRecord } from '../../network/network-record.ts';
import { pruneNetworks, removeNetwork } from '../../network/remove-network.ts';
import { withStatuses } from '../errors.ts';
import { filterTextsOf, parseFilters, refuseOtherKeys } from '../filters.ts';
import type { EngineDeps } from '../host.ts';
import { empty, json, type Route } from '../route.ts';

/** Removing networks. */
export function networkRemoveRoutes({ ctx, clock }: Pick<EngineDeps, 'ctx' | 'clock'>): readonly Route[] {
  const publish = (network: NetworkRecord) =>
    publishNetwork(publisherOf(ctx), 'destroy', { network: { ...network, driver: 'bridge' } });
  return [
    {
      method: 'POST',
      path: '/networks/prune',
      handle: async ({ query }) => {
        const filters = parseFilters(query.text('filters'));
        refuseOtherKeys(filters, ['label', 'label!', 'until']);
        const parseTime = (text: string) => parseEventTime(text, timeReference(clock.now()));
        const removed = await pruneNetworks(networkContextOf(ctx), parsePruneFilter(filterTextsOf(filters), parseTime));
        for (const network of removed) await publish(network);
        return json({ NetworksDeleted: removed.length === 0 ? null : removed.map(({ name }) => name) });
      },
    },
    {
      method: 'DELETE',
      path: '/networks/{id}',
      handle: async (call) => {
        await publish(
          await withStatuses({ CONFLICT: 403 }, () => removeNetwork(networkContextOf(ctx), call.part('id'))),
        );
        return empty();
      },
    },
  ];
}
