import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { isObject, type JsonObject } from '../lib/shape.ts';
import { parseJson } from './document.ts';
import type { ResolvedImage } from './find.ts';
import { randomSuffix, withImageLease } from './lease.ts';
import { MAX_CONFIG_BYTES, MEDIA_TYPES } from './manifest.ts';
import type { Reference } from './reference.ts';
import { storeImage } from './store-image.ts';

export interface CommitRequest {
  /** The image on which the snapshot is based. */
  readonly base: ResolvedImage;
  readonly snapshot: { readonly snapshotter: string; readonly key: string };
  /** The `config` object of the image, with Docker's keys. */
  readonly config: JsonObject;
  /** For the history: the program of the container. */
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  /** With a tag; undefined for an image without a name. */
  readonly reference: Reference | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The digest of a tar without members: such a layer is left out, as in Docker. */
const EMPTY_LAYER = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/**
 * Makes an image of a snapshot: its base, and one more layer of what was written into the snapshot. After a failure or
 * a cancellation there is no image.
 *
 * @returns its id, the digest of its config
 */
export async function commitSnapshot(
  world: { readonly containerd: Containerd; readonly clock: Clock },
  request: CommitRequest,
): Promise<string> {
  const { base, snapshot, signal } = request;
  return withImageLease(world, async (containerd) => {
    const layer = await layerOf(containerd, request);
    const baseBytes = await containerd.content.read(
      { digest: base.configDigest, maxBytes: MAX_CONFIG_BYTES },
      signal ? { signal } : {},
    );
    const baseConfig = parseJson(`config of image ${base.familiarName}`, baseBytes);
    const created = new Date(world.clock.now()).toISOString();
    const isEmpty = layer.digest === EMPTY_LAYER;
    const document = { base: isObject(baseConfig) ? baseConfig : {}, layer: isEmpty ? undefined : layer, created };
    const bytes = Buffer.from(JSON.stringify(configOf(request, document)));
    const layers = isEmpty
      ? base.manifest.layers
      : [...base.manifest.layers, { mediaType: MEDIA_TYPES.dockerLayer, ...layer }];
    const { reference } = request;
    return storeImage(containerd, { bytes, layers, reference, snapshotter: snapshot.snapshotter, signal });
  });
}

/** Compares the snapshot with a new one on the same base. */
async function layerOf(containerd: Containerd, { base, snapshot, signal }: CommitRequest) {
  const { snapshotter, key } = snapshot;
  const options = signal ? { signal } : {};
  const lower = `healthctl-commit-${randomSuffix()}`;
  const left = await containerd.snapshots.prepare({ snapshotter, key: lower, parent: base.chainId }, options);
  try {
    const right = await containerd.snapshots.mounts({ snapshotter, key }, options);
    return await containerd.snapshots.diff({ left, right, ref: lower }, options);
  } finally {
    await containerd.snapshots.remove({ snapshotter, key: lower });
  }
}

interface Parts {
  /** The config of the base. */
  readonly base: JsonObject;
  /** Undefined if nothing was written. */
  readonly layer: { readonly digest: string } | undefined;
  readonly created: string;
}

function configOf({ base: image, config, createdBy, author, comment }: CommitRequest, { base, layer, created }: Parts) {
  const { architecture, os, variant, diffIds } = image.config;
  const step = {
    created,
    created_by: createdBy,
    ...(author === '' ? {} : { author }),
    ...(comment === '' ? {} : { comment }),
    ...(layer ? {} : { empty_layer: true }),
  };
  return {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    created,
    ...(author === '' ? {} : { author }),
    ...(comment === '' ? {} : { comment }),
    config,
    rootfs: { type: 'layers', diff_ids: [...diffIds, ...(layer ? [layer.digest] : [])] },
    history: [...(Array.isArray(base.history) ? base.history : []), step],
  };
}
