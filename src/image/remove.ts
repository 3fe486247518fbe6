import type { Containerd } from '../containerd/client.ts';
import type { ContainerRecord } from '../containerd/containers.ts';
import type { ImageRecord } from '../containerd/images.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { chainIdsOf } from './chain-id.ts';
import { shortId } from './digest-text.ts';
import { findRecord } from './find.ts';
import { danglingName, recordsOfImage, repoDigests } from './names.ts';
import { familiarRecordName, tryParseReference } from './reference.ts';
import { readStoredImage, type StoredImage } from './stored.ts';
import { type ImageIdOf, isCreatedFrom } from './users.ts';

export interface RemoveRequest {
  /** As given by the user: a name, an id, or a prefix of an id. */
  readonly nameOrId: string;
  /** Also an image that stopped containers use, or that has several names. */
  readonly force: boolean;
  /** E.g. `overlayfs`. */
  readonly snapshotter: string;
  readonly imageIdOf: ImageIdOf;
  readonly signal?: AbortSignal;
}

/** The removed names and objects, in order: names first, then their content: the image, and its layers. */
export type Removed = { readonly untagged: string } | { readonly deleted: string; readonly kind: 'image' | 'layer' };

/** The ids of the images, without their layers. */
export const removedImages = (removed: readonly Removed[]): readonly string[] =>
  removed.flatMap((what) => ('deleted' in what && what.kind === 'image' ? [what.deleted] : []));

/**
 * Removes a name of an image, and with its last name the image; or, by id, the image with all its names. Docker's rules
 * and texts (moby, daemon/images/image_delete.go): an image of a running container stays, and loses its name if forced
 * by name.
 *
 * Throws NOT_FOUND, or CONFLICT (`conflict: unable to …`) before anything is removed.
 */
export async function removeImage(
  { containerd }: { readonly containerd: Containerd },
  request: RemoveRequest,
): Promise<readonly Removed[]> {
  const { nameOrId, signal } = request;
  const options = signal ? { signal } : {};
  const record = await findRecord(containerd, nameOrId, options);
  const image = await readIfWhole(containerd, record, options);
  if (!image) {
    await containerd.images.delete({ name: record.name, sync: true }, options);
    return [{ untagged: familiarRecordName(record.name) }];
  }
  const records = await recordsOfImage(containerd, image.configDigest, signal);
  const users = await findUsers(containerd, { id: image.configDigest, records }, request);
  const byName = isNamed(record, nameOrId);
  const toRemove = byName ? [record] : records;
  if (byName) refuseByName(request, { image, records, users });
  else refuseById(request, { image, records, users });
  const digests = await repoDigests(containerd, toRemove, signal);
  if (byName && toRemove.length === records.length && users.some(({ running }) => running)) {
    const { mediaType, digest, size } = record.target;
    await containerd.images.put({ name: danglingName(digest), target: { mediaType, digest, size, annotations: {} } });
  }
  for (const { name } of toRemove) await containerd.images.delete({ name, sync: true }, options);
  const untagged = [
    ...toRemove.map(({ name }) => familiarRecordName(name)),
    ...(toRemove.length === records.length ? digests : []),
  ];
  const removed = await listRemoved(containerd, image, request);
  return [...[...new Set(untagged)].map((name) => ({ untagged: name })), ...removed];
}

/** Undefined for an image with missing or damaged content: its name can still be removed. */
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

/** Whether the user meant this name, and not the image by its id. */
function isNamed(record: ImageRecord, nameOrId: string): boolean {
  if (record.name === nameOrId) return true;
  const [asked, found] = [tryParseReference(nameOrId), tryParseReference(record.name)];
  if (!asked || !found || asked.domain !== found.domain || asked.path !== found.path) return false;
  return asked.digest !== undefined || (asked.tag ?? 'latest') === found.tag;
}

interface User {
  readonly container: ContainerRecord;
  readonly running: boolean;
}

async function findUsers(
  containerd: Containerd,
  { id, records }: { readonly id: string; readonly records: readonly ImageRecord[] },
  { imageIdOf, signal }: RemoveRequest,
): Promise<readonly User[]> {
  const options = signal ? { signal } : {};
  const image = { id, names: new Set(records.map(({ name }) => name)) };
  const containers = await containerd.containers.list([], options);
  const using = containers.filter((container) => isCreatedFrom(container, image, imageIdOf));
  if (using.length === 0) return [];
  const tasks = await containerd.tasks.list(options);
  const alive = new Set(tasks.filter(({ status }) => status !== 'stopped').map(({ containerId }) => containerId));
  return using.map((container) => ({ container, running: alive.has(container.id) }));
}

interface Usage {
  readonly image: StoredImage;
  readonly records: readonly ImageRecord[];
  readonly users: readonly User[];
}

function refuseByName({ nameOrId, force }: RemoveRequest, { image, records, users }: Usage): void {
  const [user] = users;
  if (force || records.length > 1 || !user) return;
  throw conflict(
    `unable to remove repository reference "${nameOrId}" (must force) - container ${shortId(user.container.id)} is using its referenced image ${shortId(image.configDigest)}`,
  );
}

function refuseById({ force }: RemoveRequest, { image, records, users }: Usage): void {
  const id = shortId(image.configDigest);
  const running = users.find((user) => user.running);
  if (running) {
    const container = shortId(running.container.id);
    throw conflict(`unable to delete ${id} (cannot be forced) - image is being used by running container ${container}`);
  }
  if (force) return;
  const repositories = new Set(records.map(({ name }) => name.replace(/[:@][^/]*$/, '')));
  if (repositories.size > 1) {
    throw conflict(`unable to delete ${id} (must be forced) - image is referenced in multiple repositories`);
  }
  const [stopped] = users;
  if (!stopped) return;
  const container = shortId(stopped.container.id);
  throw conflict(`unable to delete ${id} (must be forced) - image is being used by stopped container ${container}`);
}

const conflict = (why: string) => new HealthctlError('CONFLICT', `conflict: ${why}`);

/** The image and its layers, the topmost first, as far as nothing else uses them. */
async function listRemoved(
  containerd: Containerd,
  { configDigest, config }: StoredImage,
  { snapshotter, signal }: RemoveRequest,
): Promise<readonly Removed[]> {
  const options = signal ? { signal } : {};
  if (await containerd.content.find(configDigest, options)) return [];
  const removed: Removed[] = [{ deleted: configDigest, kind: 'image' }];
  for (const key of chainIdsOf(config.diffIds).toReversed()) {
    if (await containerd.snapshots.exists({ snapshotter, key }, options)) break;
    removed.push({ deleted: key, kind: 'layer' });
  }
  return removed;
}
