import type { Containerd } from '../containerd/client.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { chainIdOf } from './chain-id.ts';
import { type ImageConfig, parseImageConfig } from './config.ts';
import {
  type Index,
  isIndexType,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  parseManifest,
  rankManifests,
} from './manifest.ts';
import { hostPlatform, type Platform } from './platform.ts';

/** The manifest of a name in containerd for this machine. */
export interface StoredManifest {
  readonly manifest: Manifest;
  readonly manifestDigest: string;
}

/** The manifest with its config. */
export interface StoredImage extends StoredManifest {
  readonly config: ImageConfig;
  /** Docker's image id. */
  readonly configDigest: string;
  /** The parent snapshot of its containers; empty without layers. It may not be unpacked: see ensureUnpacked. */
  readonly chainId: string;
}

export interface ReadOptions {
  /** Default: this machine's. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
}

interface Target {
  readonly mediaType: string;
  readonly digest: string;
}

/**
 * Follows a name's target to the manifest for a platform; in an index without one, to any that exists. Throws NOT_FOUND
 * if the content store lacks it, CORRUPT if it is invalid.
 *
 * @param image names it in errors, e.g. `busybox:latest`
 */
export async function readManifest(
  containerd: Containerd,
  image: string,
  target: Target,
  { platform = hostPlatform(), signal }: ReadOptions = {},
): Promise<StoredManifest> {
  const read = async ({ digest, mediaType }: Target) => {
    const options = signal ? { signal } : {};
    const bytes = await containerd.content.read({ digest, maxBytes: MAX_MANIFEST_BYTES }, options);
    return parseManifest(`manifest of ${image}`, bytes, mediaType);
  };
  const top = await read(target).catch((error: unknown) => {
    throw hasCode(error, 'NOT_FOUND') ? lacks(image, 'manifest', error) : error;
  });
  if (top.kind === 'manifest') return { manifest: top, manifestDigest: target.digest };
  for (const entry of candidates(top, platform)) {
    const manifest = await read(entry).catch((error: unknown) => {
      if (!hasCode(error, 'NOT_FOUND')) throw error;
    });
    if (manifest?.kind === 'manifest') return { manifest, manifestDigest: entry.digest };
  }
  throw lacks(image, 'manifest');
}

/** Also reads the config. Throws like readManifest. */
export async function readStoredImage(
  containerd: Containerd,
  image: string,
  target: Target,
  options: ReadOptions = {},
): Promise<StoredImage> {
  const stored = await readManifest(containerd, image, target, options);
  const { digest } = stored.manifest.config;
  const bytes = await containerd.content
    .read({ digest, maxBytes: MAX_CONFIG_BYTES }, options.signal ? { signal: options.signal } : {})
    .catch((error: unknown) => {
      throw hasCode(error, 'NOT_FOUND') ? lacks(image, 'config', error) : error;
    });
  const config = parseImageConfig(image, bytes);
  return { ...stored, config, configDigest: digest, chainId: chainIdOf(config.diffIds) };
}

function candidates(index: Index, platform: Platform) {
  const fitting = rankManifests(index, platform);
  const others = index.manifests.filter((entry) => !fitting.includes(entry) && entry.platform?.os === 'linux');
  return [...fitting, ...others].filter(({ mediaType }) => !isIndexType(mediaType));
}

function lacks(image: string, part: string, cause?: unknown): HealthctlError {
  return new HealthctlError('NOT_FOUND', `image ${image} lacks its ${part} in the content store`, {
    cause,
    hint: `pull or load ${image} again`,
  });
}
