import type { Readable } from 'node:stream';
import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { collectArchive } from './archive/collect.ts';
import { findDockerImages } from './archive/docker-archive.ts';
import type { Found } from './archive/found.ts';
import { findOciImages } from './archive/oci-archive.ts';
import { giveName } from './give-name.ts';
import { withImageLease } from './lease.ts';
import { danglingName } from './names.ts';
import type { OnProgress } from './progress.ts';
import { familiarRecordName } from './reference.ts';
import { unpackImage } from './unpack.ts';

export interface LoadRequest {
  /** Names the archive in errors, e.g. `image.tar` or `standard input`. */
  readonly what: string;
  /** Read once, from its start to its end; destroyed afterwards. */
  readonly source: Readable;
  /** E.g. `overlayfs`. */
  readonly snapshotter: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface Loaded {
  /** As Docker shows them; none for an untagged image. */
  readonly familiarNames: readonly string[];
  /** Digest of the config: Docker's image id. */
  readonly id: string;
}

/**
 * Loads the images of an archive (docker-archive or OCI layout in a tar, gzip-compressed or not) and unpacks them.
 * After any failure or a cancellation, no name is created or moved, and stored data is collected.
 */
export async function loadImages(
  world: { readonly containerd: Containerd; readonly clock: Clock },
  request: LoadRequest,
): Promise<readonly Loaded[]> {
  const { what, source, snapshotter, onProgress, signal } = request;
  source.on('error', () => undefined); // it may fail before it is read; its reader then gets the error
  const options = { ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) };
  return withImageLease(world, async (containerd) => {
    const archive = await collectArchive(containerd, { what, source, ...options }, signal);
    if (!archive.ociIndex && !archive.dockerManifest) {
      throw new HealthctlError(
        'CORRUPT',
        `${what} is not an image archive: it has neither manifest.json nor index.json`,
      );
    }
    const oci = await findOciImages(containerd, archive, signal);
    const images = oci.length > 0 ? oci : await findDockerImages(containerd, archive, signal);
    if (images.length === 0) throw new HealthctlError('NOT_FOUND', `${what} holds no image for this platform`);
    for (const { names, target, manifest, config } of images) {
      const image = familiarRecordName(names[0] ?? target.digest);
      await unpackImage(containerd, { image, manifest, config, snapshotter, ...options });
    }
    if (signal?.aborted) throw new HealthctlError('ABORTED', `load of ${what} was cancelled`);
    for (const image of images) await nameImage(containerd, image);
    return images.map(({ names, manifest }) => ({
      familiarNames: names.map(familiarRecordName),
      id: manifest.config.digest,
    }));
  });
}

/** All names at once, without a chance to cancel between them. */
async function nameImage(containerd: Containerd, { names, target }: Found): Promise<void> {
  for (const name of names.length > 0 ? names : [danglingName(target.digest)]) {
    await giveName(containerd, { name, target });
  }
}
