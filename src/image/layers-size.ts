import type { Containerd } from '../containerd/client.ts';
import { hasCode } from '../lib/errors.ts';
import { chainIdsOf } from './chain-id.ts';
import { familiarRecordName } from './reference.ts';
import { readStoredImage } from './stored.ts';

/** Bytes of the unpacked layers of all images, each counted once. Layers and images that cannot be read count nothing. */
export async function layersSize(
  containerd: Containerd,
  snapshotter: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<number> {
  const keys = new Set<string>();
  for (const { name, target } of await containerd.images.list([], options)) {
    const image = await unlessMissing(readStoredImage(containerd, familiarRecordName(name), target, options));
    for (const key of chainIdsOf(image?.config.diffIds ?? [])) keys.add(key);
  }
  let total = 0;
  for (const key of keys)
    total += (await unlessMissing(containerd.snapshots.usage({ snapshotter, key }, options))) ?? 0;
  return total;
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND', 'CORRUPT', 'INVALID')) return undefined;
    throw error;
  }
}
