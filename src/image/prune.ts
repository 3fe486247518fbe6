import type { Containerd } from '../containerd/client.ts';
import type { ImageRecord } from '../containerd/images.ts';
import { hasCode } from '../lib/errors.ts';
import { matchesPrune, type PruneFilter } from '../lib/prune-filter.ts';
import { chainIdsOf } from './chain-id.ts';
import { isDanglingName } from './names.ts';
import { familiarRecordName } from './reference.ts';
import { type Removed, removeImage } from './remove.ts';
import { readStoredImage, type StoredImage } from './stored.ts';
import { type ImageIdOf, isCreatedFrom } from './users.ts';

export interface PruneRequest {
  /** Also images that have a name. */
  readonly all: boolean;
  readonly filter: PruneFilter;
  /** E.g. `overlayfs`. */
  readonly snapshotter: string;
  readonly imageIdOf: ImageIdOf;
  readonly signal: AbortSignal;
}

export interface PrunedImages {
  readonly removed: readonly Removed[];
  /** Bytes of the layers that are gone. */
  readonly reclaimed: number;
}

/**
 * Removes images that no container of any tool uses, whether it runs or not; and, as in Docker, the names of an image in
 * use that none of its containers has. An image that comes into use meanwhile stays. An image with missing content is
 * left alone, because it cannot be identified.
 */
export async function pruneImages(
  { containerd }: { readonly containerd: Containerd },
  { all, filter, snapshotter, imageIdOf, signal }: PruneRequest,
): Promise<PrunedImages> {
  const unused = await findUnused(containerd, imageIdOf, signal);
  const removed: Removed[] = [];
  let reclaimed = 0;
  for (const { record, image } of unused) {
    if (signal.aborted) break;
    const { created, labels } = image.config;
    const createdMs = created === undefined ? undefined : Date.parse(created);
    if (!(all || isDanglingName(record.name)) || !matchesPrune(filter, { createdMs, labels })) continue;
    const sizes = await layerSizes(containerd, image, { snapshotter, signal });
    try {
      const gone = await removeImage(
        { containerd },
        { nameOrId: record.name, force: false, snapshotter, imageIdOf, signal },
      );
      removed.push(...gone);
      for (const what of gone) reclaimed += 'deleted' in what ? (sizes.get(what.deleted) ?? 0) : 0;
    } catch (error) {
      if (!hasCode(error, 'CONFLICT', 'NOT_FOUND')) throw error;
    }
  }
  return { removed, reclaimed };
}

interface Unused {
  readonly record: ImageRecord;
  readonly image: StoredImage;
}

/** Of an image in use one name stays: one that its containers have, else the last. */
async function findUnused(
  containerd: Containerd,
  imageIdOf: ImageIdOf,
  signal: AbortSignal,
): Promise<readonly Unused[]> {
  const [records, containers] = await Promise.all([
    containerd.images.list([], { signal }),
    containerd.containers.list([], { signal }),
  ]);
  const read: Unused[] = [];
  for (const record of records) {
    const image = await readStoredImage(containerd, familiarRecordName(record.name), record.target, { signal }).catch(
      (error: unknown) => {
        if (hasCode(error, 'NOT_FOUND', 'CORRUPT', 'INVALID')) return undefined;
        throw error;
      },
    );
    if (image) read.push({ record, image });
  }
  const ids = new Set(read.map(({ image }) => image.configDigest));
  return [...ids].flatMap((id) => {
    const own = read.filter(({ image }) => image.configDigest === id);
    const names = new Set(own.map(({ record }) => record.name));
    const users = containers.filter((container) => isCreatedFrom(container, { id, names }, imageIdOf));
    if (users.length === 0) return own;
    const kept = new Set(users.map(({ image }) => image).filter((name) => names.has(name)));
    const last = own.at(-1);
    if (kept.size === 0 && last) kept.add(last.record.name);
    return own.filter(({ record }) => !kept.has(record.name));
  });
}

async function layerSizes(
  containerd: Containerd,
  { config }: StoredImage,
  { snapshotter, signal }: { readonly snapshotter: string; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const key of chainIdsOf(config.diffIds)) {
    try {
      sizes.set(key, await containerd.snapshots.usage({ snapshotter, key }, { signal }));
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error; // it was never unpacked
    }
  }
  return sizes;
}
