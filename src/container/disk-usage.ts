import { layersSize } from '../image/layers-size.ts';
import { type ImageRow, listImageRows } from '../image/list-by-id.ts';
import { imageIdOf } from '../record/details.ts';
import type { ContainerContext } from './context.ts';
import { type ListedContainer, listContainers } from './list.ts';
import { type ContainerSizes, openContainerSizes } from './sizes.ts';
import { type ListedVolume, listVolumesWith } from './volumes/use.ts';

/** What the namespace has on the disk. */
export interface DiskUsage {
  /** Bytes of all layers of images, each counted once. */
  readonly layersSize: number;
  readonly images: readonly ImageRow[];
  readonly containers: readonly SizedContainer[];
  /** With their users and sizes. */
  readonly volumes: readonly ListedVolume[];
}

interface SizedContainer extends ListedContainer {
  readonly sizes: ContainerSizes;
}

export type DiskUsageKind = 'images' | 'containers' | 'volumes';

/** @param kinds those that are measured; the others are empty */
export async function readDiskUsage(
  ctx: ContainerContext,
  kinds: ReadonlySet<DiskUsageKind>,
  signal: AbortSignal,
): Promise<DiskUsage> {
  const { containerd, snapshotter } = ctx;
  const filter = { references: [], labels: [], before: [], since: [] };
  const request = { snapshotter, filter, imageIdOf, withSharedSize: true, signal };
  const hasImages = kinds.has('images');
  const [size, images, containers, volumes] = await Promise.all([
    hasImages ? layersSize(containerd, snapshotter, { signal }) : 0,
    hasImages ? listImageRows(ctx, request) : [],
    kinds.has('containers') ? sizedContainers(ctx, signal) : [],
    kinds.has('volumes') ? listVolumesWith(ctx, { users: true, size: true, signal }) : [],
  ]);
  return { layersSize: size, images, containers, volumes };
}

async function sizedContainers(ctx: ContainerContext, signal: AbortSignal): Promise<readonly SizedContainer[]> {
  const measure = openContainerSizes(ctx, { signal });
  const listed = await listContainers(ctx, { signal });
  return Promise.all(listed.map(async (row) => ({ ...row, sizes: await measure(row.view.record) })));
}
