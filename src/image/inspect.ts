import type { Containerd } from '../containerd/client.ts';
import type { ImageConfig } from './config.ts';
import { resolveImage } from './find.ts';
import { openSizes } from './list.ts';
import { recordsOfImage, repoDigests, repoTags } from './names.ts';

/** The facts for Docker's document of an image. */
export interface ImageDetails {
  /** Docker's image id: the digest of the config. */
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly config: ImageConfig;
  /** Bytes: see ImageSummary. */
  readonly size: number;
  /** When its name was last moved, milliseconds since the epoch. */
  readonly taggedAtMs: number;
  /** Name of the topmost layer's snapshot; empty without layers. */
  readonly chainId: string;
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
}

/** Throws like resolveImage. */
export async function inspectImage(
  { containerd }: { readonly containerd: Containerd },
  request: { readonly nameOrId: string; readonly snapshotter: string; readonly signal?: AbortSignal },
): Promise<ImageDetails> {
  const { nameOrId, snapshotter, signal } = request;
  const options = signal ? { signal } : {};
  const image = await resolveImage({ containerd }, nameOrId, options);
  const records = await recordsOfImage(containerd, image.configDigest, signal);
  const [digests, size] = await Promise.all([
    repoDigests(containerd, records, signal),
    openSizes(containerd, snapshotter, options)(image),
  ]);
  const { mediaType, digest, size: targetSize } = image.target;
  return {
    id: image.configDigest,
    repoTags: repoTags(records),
    repoDigests: digests,
    config: image.config,
    size,
    taggedAtMs: Math.max(0, ...records.map(({ updatedAtMs }) => updatedAtMs)),
    chainId: image.chainId,
    descriptor: { mediaType, digest, size: targetSize },
  };
}
