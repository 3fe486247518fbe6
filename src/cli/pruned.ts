import { pruneContainers } from '../container/prune.ts';
import { parseVolumeFilters } from '../container/volumes/filter.ts';
import { pruneVolumes } from '../container/volumes/use.ts';
import { pruneImages } from '../image/prune.ts';
import type { PruneFilter } from '../lib/prune-filter.ts';
import { pruneNetworks } from '../network/remove-network.ts';
import { imageIdOf } from '../record/details.ts';
import type { World } from '../world.ts';
import { announceRemoved } from './announce-image.ts';
import { openContainers } from './context.ts';
import { announceChange } from './monitor/announce-change.ts';
import { openNetworks } from './network-context.ts';
import { publishNetworks } from './network-events.ts';

/** What a prune has removed. */
export interface Removed {
  /** Docker's list, empty if there was nothing. */
  readonly text: string;
  /** Bytes. */
  readonly reclaimed: number;
}

const listed = (title: string, lines: readonly string[]): string =>
  lines.length > 0 ? `${title}:\n${lines.join('\n')}\n\n` : '';

export async function pruneAllContainers(world: World, filter: PruneFilter): Promise<Removed> {
  const ctx = await openContainers(world);
  const onRemoved = (id: string): Promise<void> => announceChange(world, ctx, id, { kind: 'removed' });
  const { ids, reclaimed } = await pruneContainers(ctx, { filter, onRemoved, signal: world.signal });
  return { text: listed('Deleted Containers', ids), reclaimed };
}

export async function pruneAllNetworks(world: World, filter: PruneFilter): Promise<Removed> {
  const removed = await pruneNetworks(openNetworks(world), filter);
  await publishNetworks(
    world,
    'destroy',
    removed.map((network) => ({ ...network, driver: 'bridge' })),
  );
  const names = removed.map(({ name }) => name);
  return { text: listed('Deleted Networks', names), reclaimed: 0 };
}

/** @param filters texts of `--filter` */
export async function pruneAllVolumes(
  world: World,
  { isAll, filters }: { readonly isAll: boolean; readonly filters: readonly string[] },
): Promise<Removed> {
  const matches = parseVolumeFilters(filters, 'prune');
  const { deleted, reclaimed } = await pruneVolumes(await openContainers(world), {
    isAll,
    isWanted: (volume) => matches({ volume, users: [] }),
    signal: world.signal,
  });
  return { text: listed('Deleted Volumes', deleted), reclaimed };
}

export async function pruneAllImages(
  world: World,
  { all, filter }: { readonly all: boolean; readonly filter: PruneFilter },
): Promise<Removed> {
  const { signal, settings } = world;
  const containerd = await world.containerd();
  const { snapshotter } = settings;
  const { removed, reclaimed } = await pruneImages({ containerd }, { all, filter, snapshotter, imageIdOf, signal });
  await announceRemoved(world, removed);
  const lines = removed.map((what) => ('untagged' in what ? `untagged: ${what.untagged}` : `deleted: ${what.deleted}`));
  return { text: listed('Deleted Images', lines), reclaimed };
}
