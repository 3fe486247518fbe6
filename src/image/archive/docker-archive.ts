import type { Containerd } from '../../containerd/client.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { checkLayerCount, parseImageConfig } from '../config.ts';
import { openDocument, parseJson } from '../document.ts';
import { ingestBytes } from '../ingest.ts';
import { randomSuffix } from '../lease.ts';
import { gcLabels, MAX_CONFIG_BYTES, MEDIA_TYPES, parseManifest } from '../manifest.ts';
import { fullName, parseReference, withDefaultTag } from '../reference.ts';
import type { Collected, Stored } from './collect.ts';
import type { Found } from './found.ts';

/** One entry of a docker-archive's `manifest.json`. */
export interface DockerEntry {
  readonly config: string;
  readonly layers: readonly string[];
  readonly tags: readonly string[];
}

const LAYER_TYPES = {
  none: MEDIA_TYPES.dockerLayer,
  gzip: MEDIA_TYPES.dockerLayerGzip,
  zstd: MEDIA_TYPES.dockerLayerZstd,
} as const;

/** Throws CORRUPT with archive and field. */
export function parseDockerManifest(what: string, bytes: Buffer): readonly DockerEntry[] {
  const name = `manifest.json of ${what}`;
  const document = openDocument(name, { images: parseJson(name, bytes) });
  return (document.objects('images') ?? []).map((entry) => {
    const config = entry.string('Config');
    if (!config) throw entry.wrong('Config', 'is missing');
    return { config, layers: entry.strings('Layers') ?? [], tags: entry.strings('RepoTags') ?? [] };
  });
}

/** The full names of a docker-archive's tags. Throws CORRUPT for an invalid reference. */
export function namesOfTags(what: string, tags: readonly string[]): readonly string[] {
  return tags.map((tag) => {
    try {
      return fullName(withDefaultTag(parseReference(tag)));
    } catch (cause) {
      throw new HealthctlError('CORRUPT', `${what} has an image with the invalid name "${tag}"`, { cause });
    }
  });
}

/**
 * Creates a manifest of Docker's kind for each image, and writes it to the content store. The config blob stays
 * unchanged byte for byte, and with it the image's id and its HEALTHCHECK.
 */
export async function findDockerImages(
  containerd: Containerd,
  archive: Collected,
  signal?: AbortSignal,
): Promise<readonly Found[]> {
  const entries = archive.dockerManifest ? parseDockerManifest(archive.what, archive.dockerManifest) : [];
  const images: Found[] = [];
  for (const entry of entries) images.push(await convertImage(containerd, archive, entry, signal));
  return images;
}

async function convertImage(
  containerd: Containerd,
  archive: Collected,
  entry: DockerEntry,
  signal?: AbortSignal,
): Promise<Found> {
  const names = namesOfTags(archive.what, entry.tags);
  const image = entry.tags[0] ?? entry.config;
  const config = archive.file(entry.config);
  const layers = entry.layers.map((layer) => archive.file(layer));
  const bytes = await containerd.content.read(
    { digest: config.digest, maxBytes: MAX_CONFIG_BYTES },
    signal ? { signal } : {},
  );
  const parsed = parseImageConfig(image, bytes);
  checkLayerCount(image, parsed, layers.length);
  const manifestBytes = writeManifest(config, layers);
  const manifest = parseManifest(`manifest of ${image}`, manifestBytes);
  const ref = `healthctl-load-${randomSuffix()}`;
  const { digest, size } = await ingestBytes(
    containerd,
    { ref, bytes: manifestBytes, labels: gcLabels(manifest) },
    signal,
  );
  if (manifest.kind !== 'manifest') throw new Error('we wrote a manifest');
  const target = { mediaType: MEDIA_TYPES.dockerManifest, digest, size, annotations: {} };
  return { names, target, manifest, config: parsed };
}

function writeManifest(config: Stored, layers: readonly Stored[]): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.dockerManifest,
      config: { mediaType: MEDIA_TYPES.dockerConfig, size: config.size, digest: config.digest },
      layers: layers.map(({ packing, size, digest }) => ({ mediaType: LAYER_TYPES[packing], size, digest })),
    }),
  );
}
