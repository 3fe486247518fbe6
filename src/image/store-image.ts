import type { Containerd } from '../containerd/client.ts';
import { HealthctlError } from '../lib/errors.ts';
import { parseImageConfig } from './config.ts';
import { giveName } from './give-name.ts';
import { ingestBytes } from './ingest.ts';
import { randomSuffix } from './lease.ts';
import { gcLabels, MEDIA_TYPES, parseManifest } from './manifest.ts';
import { danglingName } from './names.ts';
import { familiarName, fullName, type Reference } from './reference.ts';
import { unpackImage } from './unpack.ts';

/** An image whose layers are in the content store. */
export interface NewImage {
  /** Its config. */
  readonly bytes: Buffer;
  /** The lowest first. */
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[];
  /** With a tag; undefined for an image without a name. */
  readonly reference: Reference | undefined;
  /** E.g. `overlayfs`. */
  readonly snapshotter: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stores config and manifest, unpacks the layers that are not yet, and gives the image its name. `containerd` must hold
 * a lease.
 *
 * @returns its id, the digest of its config
 */
export async function storeImage(containerd: Containerd, image: NewImage): Promise<string> {
  const { bytes, layers, reference, snapshotter, signal } = image;
  const store = (document: Buffer, labels: Readonly<Record<string, string>> = {}) =>
    ingestBytes(containerd, { ref: `healthctl-image-${randomSuffix()}`, bytes: document, labels }, signal);
  const config = await store(bytes);
  const manifestBytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.dockerManifest,
      config: { mediaType: MEDIA_TYPES.dockerConfig, ...config },
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    }),
  );
  const name = reference ? familiarName(reference) : config.digest;
  const manifest = parseManifest(`manifest of ${name}`, manifestBytes);
  if (manifest.kind !== 'manifest') throw new Error('we wrote a manifest');
  const target = { mediaType: MEDIA_TYPES.dockerManifest, ...(await store(manifestBytes, gcLabels(manifest))) };
  await unpackImage(containerd, {
    image: name,
    manifest,
    config: parseImageConfig(name, bytes),
    snapshotter,
    ...(signal ? { signal } : {}),
  });
  if (signal?.aborted) throw new HealthctlError('ABORTED', `making the image ${name} was cancelled`);
  await giveName(containerd, { name: reference ? fullName(reference) : danglingName(target.digest), target });
  return config.digest;
}
