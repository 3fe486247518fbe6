import type { ContainerRecord } from '../containerd/containers.ts';
import { resolveImage } from '../image/find.ts';
import { openSizes } from '../image/list.ts';
import { hasCode } from '../lib/errors.ts';
import type { ContainerContext } from './context.ts';

export interface ContainerSizes {
  /** Bytes written by the container itself. */
  readonly SizeRw: number;
  /** Together with its image. */
  readonly SizeRootFs: number;
}

/** Measures containers that share images: each image is read once. 0 for a missing snapshot or image. */
export function openContainerSizes(
  ctx: Pick<ContainerContext, 'containerd' | 'snapshotter'>,
  options: { readonly signal?: AbortSignal } = {},
): (record: ContainerRecord) => Promise<ContainerSizes> {
  const sizeOfLayers = openSizes(ctx.containerd, ctx.snapshotter, options);
  const images = new Map<string, Promise<number>>();
  const measureImage = async (name: string): Promise<number> =>
    orZero(async () => sizeOfLayers(await resolveImage(ctx, name, options)));
  const sizeOfImage = (name: string): Promise<number> => {
    const size = images.get(name) ?? measureImage(name);
    images.set(name, size);
    return size;
  };
  return async ({ image, snapshotter, snapshotKey }) => {
    const [SizeRw, imageSize] = await Promise.all([
      snapshotKey === '' ? 0 : orZero(() => ctx.containerd.snapshots.usage({ snapshotter, key: snapshotKey }, options)),
      image === '' ? 0 : sizeOfImage(image),
    ]);
    return { SizeRw, SizeRootFs: SizeRw + imageSize };
  };
}

async function orZero(measure: () => Promise<number>): Promise<number> {
  try {
    return await measure();
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND', 'INVALID', 'CORRUPT')) return 0;
    throw error;
  }
}
