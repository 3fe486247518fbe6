import type { Containerd } from '../containerd/client.ts';
import type { ImageRecord } from '../containerd/images.ts';
import { hasCode } from '../lib/errors.ts';
import { danglingName, recordsOfImage } from './names.ts';
import { readManifest } from './stored.ts';

interface Naming {
  /** Full, e.g. `docker.io/library/busybox:latest`. */
  readonly name: string;
  readonly target: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Gives an image a name. As in Docker, an image that loses its last name by that stays, and is shown as `<none>`, until
 * it is pruned; and an image without a name is no longer shown so once it has one.
 */
export async function giveName(
  containerd: Containerd,
  { name, target: { mediaType, digest, size }, labels = {} }: Naming,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const before = await containerd.images.find(name, options);
  if (before && before.target.digest !== digest) await keepUnnamed(containerd, before, digest);
  await containerd.images.put({ name, target: { mediaType, digest, size, annotations: {} }, labels }, options);
  const unnamed = danglingName(digest);
  if (name === unnamed || !(await containerd.images.find(unnamed))) return;
  await containerd.images.delete({ name: unnamed }).catch((error: unknown) => {
    if (!hasCode(error, 'NOT_FOUND')) throw error; // another process was faster
  });
}

/** Not cancelled half-way. An image that cannot be read is left to the collector. */
async function keepUnnamed(containerd: Containerd, record: ImageRecord, newDigest: string): Promise<void> {
  const id = await configOf(containerd, record.name, record.target);
  if (id === undefined || (await configOf(containerd, record.name, { mediaType: '', digest: newDigest })) === id)
    return;
  if ((await recordsOfImage(containerd, id)).length > 1) return;
  const { mediaType, digest, size } = record.target;
  await containerd.images.put({ name: danglingName(digest), target: { mediaType, digest, size, annotations: {} } });
}

async function configOf(
  containerd: Containerd,
  name: string,
  target: { readonly mediaType: string; readonly digest: string },
): Promise<string | undefined> {
  try {
    return (await readManifest(containerd, name, target)).manifest.config.digest;
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND', 'CORRUPT', 'INVALID')) return undefined;
    throw error;
  }
}
