import type { Containerd } from '../containerd/client.ts';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import { chainIdOf, chainIdsOf } from './chain-id.ts';
import { checkLayerCount, type ImageConfig } from './config.ts';
import { shortId } from './digest-text.ts';
import { randomSuffix } from './lease.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import type { OnProgress } from './progress.ts';

export interface UnpackRequest {
  /** Names the image in errors. */
  readonly image: string;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** E.g. `overlayfs`. */
  readonly snapshotter: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Set by containerd's differ on an unpacked layer, so that others know the layer's diff id. */
const UNCOMPRESSED_LABEL = 'containerd.io/uncompressed';

/**
 * Creates a snapshot of each layer under the names of containerd's own unpacker, so that nerdctl and ctr share them. It
 * is no error if a layer exists, or another process creates it at the same time. `containerd` must hold a lease. After
 * a failure the layer in progress is removed.
 *
 * @returns the chain id: the parent snapshot of containers of this image. Empty for an image without layers.
 */
export async function unpackImage(containerd: Containerd, request: UnpackRequest): Promise<string> {
  const { config, manifest, image, snapshotter, signal } = request;
  checkLayerCount(image, config, manifest.layers.length);
  const chainId = chainIdOf(config.diffIds);
  if (chainId === '') return '';
  // First: from here on the collector keeps the layers as long as the config, also existing ones.
  const label = `containerd.io/gc.ref.snapshot.${snapshotter}`;
  const options = signal ? { signal } : {};
  await containerd.content.setLabels(manifest.config.digest, { [label]: chainId }, options);
  if (await containerd.snapshots.exists({ snapshotter, key: chainId }, options)) return chainId;
  const chain = chainIdsOf(config.diffIds);
  for (const [index, layer] of manifest.layers.entries()) {
    const key = chain[index] ?? '';
    if (await containerd.snapshots.exists({ snapshotter, key }, options)) continue;
    const diffId = config.diffIds[index] ?? '';
    await unpackLayer(containerd, request, { layer, diffId, chainId: key, parent: chain[index - 1] ?? '' });
  }
  return chainId;
}

interface Layer {
  readonly layer: Descriptor;
  readonly diffId: string;
  readonly chainId: string;
  readonly parent: string;
}

async function unpackLayer(containerd: Containerd, request: UnpackRequest, layer: Layer): Promise<void> {
  const { snapshotter, signal, onProgress } = request;
  const { snapshots, content } = containerd;
  const options = signal ? { signal } : {};
  const ref = shortId(layer.layer.digest);
  const key = `extract-${randomSuffix()} ${layer.chainId}`;
  onProgress?.({ ref, status: 'Extracting' });
  try {
    const mounts = await snapshots.prepare({ snapshotter, key, parent: layer.parent }, options);
    const applied = await applyLayer(containerd, request, { descriptor: descriptorOf(layer.layer), mounts });
    if (applied !== layer.diffId) {
      throw new HealthctlError(
        'CORRUPT',
        `layer ${layer.layer.digest} of image ${request.image} unpacks to ${applied}, not to ${layer.diffId} as its config says`,
      );
    }
    await snapshots.commit({ snapshotter, key, name: layer.chainId }, options).catch(async (error: unknown) => {
      if (!hasCode(error, 'ALREADY_EXISTS')) throw error;
      await snapshots.remove({ snapshotter, key }); // another process was faster
    });
  } catch (error) {
    await snapshots.remove({ snapshotter, key }).catch(() => undefined); // the lease's end collects it as well
    throw error;
  }
  await content.setLabels(layer.layer.digest, { [UNCOMPRESSED_LABEL]: layer.diffId }, options);
  onProgress?.({ ref, status: 'Pull complete' });
}

async function applyLayer(
  containerd: Containerd,
  request: UnpackRequest,
  layer: Parameters<Containerd['snapshots']['apply']>[0],
): Promise<string> {
  const { signal, image } = request;
  try {
    return await containerd.snapshots.apply(layer, signal ? { signal } : {});
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) {
      throw new HealthctlError('NOT_FOUND', `image ${image} lacks its layer ${layer.descriptor.digest}`, {
        cause: error,
        hint: `pull or load ${image} again`,
      });
    }
    if (hasCode(error, 'ABORTED', 'UNAVAILABLE', 'EXHAUSTED', 'TIMEOUT')) throw error;
    throw new HealthctlError(
      'CORRUPT',
      `layer ${layer.descriptor.digest} of image ${image} cannot be unpacked: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

const descriptorOf = ({ mediaType, digest, size }: Descriptor) => ({ mediaType, digest, size, annotations: {} });
