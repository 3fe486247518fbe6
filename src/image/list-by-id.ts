import type { Containerd } from '../containerd/client.ts';
import type { ImageRecord } from '../containerd/images.ts';
import { hasCode } from '../lib/errors.ts';
import { hasLabel } from '../lib/label-filter.ts';
import { chainIdsOf } from './chain-id.ts';
import { resolveImage } from './find.ts';
import { matchesReference, openSizes } from './list.ts';
import { isDanglingName, repoDigests, repoTags } from './names.ts';
import { familiarRecordName } from './reference.ts';
import { readStoredImage, type StoredImage } from './stored.ts';
import { type ImageIdOf, isCreatedFrom } from './users.ts';

/** An image with all its names, as a row of Docker's API. */
export interface ImageRow {
  /** Docker's image id; for an image with missing content, the digest of its target. */
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  /** Milliseconds since the epoch; 0 if unknown. */
  readonly createdMs: number;
  /** Bytes: see ImageSummary. */
  readonly size: number;
  /** Bytes of the layers that other images have too; undefined unless asked for. */
  readonly sharedSize: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Containers that were created from it. */
  readonly containers: number;
}

/** Conditions: alternatives within one kind, except labels, which must all match. */
export interface ImageRowFilter {
  readonly references: readonly string[];
  readonly dangling?: boolean;
  readonly labels: readonly string[];
  /** Names or ids of images: older than all of these. */
  readonly before: readonly string[];
  /** Younger than all of these. */
  readonly since: readonly string[];
  /** Created before. Milliseconds since the epoch. */
  readonly untilMs?: number;
}

export interface ImageRowsRequest {
  /** E.g. `overlayfs`. */
  readonly snapshotter: string;
  readonly filter: ImageRowFilter;
  readonly withSharedSize: boolean;
  readonly imageIdOf: ImageIdOf;
  readonly signal?: AbortSignal;
}

/** Number of images to read at once. */
const BATCH = 16;

/**
 * All images, each with its names, the youngest first. Throws NOT_FOUND for an image of `before` or `since` that does
 * not exist.
 */
export async function listImageRows(
  { containerd }: { readonly containerd: Containerd },
  request: ImageRowsRequest,
): Promise<readonly ImageRow[]> {
  const { snapshotter, filter, withSharedSize, imageIdOf, signal } = request;
  const options = signal ? { signal } : {};
  const [records, containers] = await Promise.all([
    containerd.images.list([], options),
    containerd.containers.list([], options),
  ]);
  const groups = await groupsOf(containerd, records, options);
  const sizeOf = openSizes(containerd, snapshotter, options);
  const shared = withSharedSize ? await openSharedSizes(containerd, { groups, snapshotter }, options) : undefined;
  const isWanted = await matcherOf(containerd, filter, options);
  const rows = await Promise.all(
    groups.filter(isWanted).map(async (group): Promise<ImageRow> => {
      const { id, image, records: own } = group;
      const names = new Set(own.map(({ name }) => name));
      return {
        id,
        repoTags: repoTags(own).filter((name) => matchesAny(name, filter.references)),
        repoDigests: await repoDigests(containerd, own, signal),
        createdMs: createdMsOf(group),
        size: image ? await sizeOf(image) : 0,
        sharedSize: image && shared ? shared(image) : undefined,
        labels: image?.config.labels ?? {},
        containers: containers.filter((container) => isCreatedFrom(container, { id, names }, imageIdOf)).length,
      };
    }),
  );
  return rows.sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1));
}

interface Group {
  readonly id: string;
  /** Undefined if content is missing. */
  readonly image: StoredImage | undefined;
  readonly records: readonly ImageRecord[];
}

const createdMsOf = ({ image }: Group) => Date.parse(image?.config.created ?? '') || 0;

async function groupsOf(
  containerd: Containerd,
  records: readonly ImageRecord[],
  options: { readonly signal?: AbortSignal },
): Promise<readonly Group[]> {
  const groups = new Map<string, Group>();
  for (let at = 0; at < records.length; at += BATCH) {
    const batch = records.slice(at, at + BATCH);
    const images = await Promise.all(batch.map((record) => readIfWhole(containerd, record, options)));
    for (const [index, record] of batch.entries()) {
      const image = images[index];
      const id = image?.configDigest ?? record.target.digest;
      groups.set(id, { id, image, records: [...(groups.get(id)?.records ?? []), record] });
    }
  }
  return [...groups.values()];
}

async function readIfWhole(
  containerd: Containerd,
  { name, target }: ImageRecord,
  options: { readonly signal?: AbortSignal },
): Promise<StoredImage | undefined> {
  try {
    return await readStoredImage(containerd, familiarRecordName(name), target, options);
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND', 'CORRUPT', 'INVALID')) return undefined;
    throw error;
  }
}

async function matcherOf(
  containerd: Containerd,
  filter: ImageRowFilter,
  options: { readonly signal?: AbortSignal },
): Promise<(group: Group) => boolean> {
  const createdOf = async (name: string) => {
    const { config } = await resolveImage({ containerd }, name, options);
    return Date.parse(config.created ?? '') || 0;
  };
  const [before, since] = await Promise.all([
    Promise.all(filter.before.map(createdOf)),
    Promise.all(filter.since.map(createdOf)),
  ]);
  return (group) => {
    const createdMs = createdMsOf(group);
    const { records, image } = group;
    const isDangling = records.every(({ name }) => isDanglingName(name));
    if (filter.dangling !== undefined && filter.dangling !== isDangling) return false;
    if (filter.references.length > 0 && !records.some(({ name }) => matchesAny(name, filter.references))) return false;
    if (!filter.labels.every((wanted) => hasLabel(image?.config.labels ?? {}, wanted))) return false;
    if (filter.untilMs !== undefined && createdMs >= filter.untilMs) return false;
    return before.every((ms) => createdMs < ms) && since.every((ms) => createdMs > ms);
  };
}

const matchesAny = (name: string, patterns: readonly string[]) =>
  patterns.length === 0 || patterns.some((pattern) => matchesReference(name, pattern));

/** The bytes of an image's layers that another image has too. */
async function openSharedSizes(
  containerd: Containerd,
  { groups, snapshotter }: { readonly groups: readonly Group[]; readonly snapshotter: string },
  options: { readonly signal?: AbortSignal },
): Promise<(image: StoredImage) => number> {
  const users = new Map<string, number>();
  const chains = groups.map(({ image }) => chainIdsOf(image?.config.diffIds ?? []));
  for (const key of chains.flat()) users.set(key, (users.get(key) ?? 0) + 1);
  const sizes = new Map<string, number>();
  for (const [key, count] of users) {
    if (count < 2) continue;
    try {
      sizes.set(key, await containerd.snapshots.usage({ snapshotter, key }, options));
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error; // it is not unpacked
    }
  }
  return ({ config }) => chainIdsOf(config.diffIds).reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0);
}
