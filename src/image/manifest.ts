import { HealthctlError } from '../lib/errors.ts';
import { DIGEST } from './digest-text.ts';
import { type Document, parseDocument } from './document.ts';
import { formatPlatform, type Platform, platformFit } from './platform.ts';

/** A reference to a blob: its digest, size and kind. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** One image for one platform. */
export interface Manifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
}

/** Manifests of the same image for several platforms. */
export interface Index {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

export const MEDIA_TYPES = {
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
} as const;

/** Registries refuse larger manifests (OCI distribution spec, "Pushing Manifests"). */
export const MAX_MANIFEST_BYTES = 4 << 20;
/** Docker's own limit for an image config. */
export const MAX_CONFIG_BYTES = 8 << 20;
const MAX_LAYERS = 1000;

const CONFIG_TYPES: ReadonlySet<string> = new Set([
  MEDIA_TYPES.dockerConfig,
  'application/vnd.oci.image.config.v1+json',
  'application/octet-stream',
  '',
]);
const LAYER_TYPE =
  /^application\/vnd\.(docker\.image\.rootfs(\.foreign)?\.diff\.tar|oci\.image\.layer(\.nondistributable)?\.v1\.tar)([.+](gzip|zstd))?$/;
/** Annotation of an index entry that describes another entry and is no image itself (BuildKit, attestations). */
const ATTESTATION_ANNOTATION = 'vnd.docker.reference.type';

/**
 * Parses a manifest or an index. Throws CORRUPT with image and field, INVALID for a well-formed document that is no
 * container image.
 *
 * @param what names it in errors, e.g. `manifest of busybox:latest`
 * @param mediaType from the registry or the descriptor; the document's own takes precedence
 */
export function parseManifest(what: string, bytes: Uint8Array, mediaType = ''): Manifest | Index {
  const document = parseDocument(what, bytes);
  if (document.size('schemaVersion') === 1 || document.raw('fsLayers') !== undefined) {
    throw new HealthctlError('INVALID', `${what} has the outdated schema version 1`, {
      hint: 'push the image again with a current tool',
    });
  }
  const type = document.string('mediaType') ?? mediaType;
  const manifests = document.objects('manifests');
  if (manifests) {
    if (document.raw('layers') !== undefined) throw document.wrong('manifests', 'and layers exclude each other');
    const kind = type === MEDIA_TYPES.dockerList ? type : MEDIA_TYPES.ociIndex;
    return { kind: 'index', mediaType: kind, manifests: manifests.map(parseDescriptor) };
  }
  const config = document.object('config');
  const layers = document.objects('layers');
  if (!config || !layers) throw new HealthctlError('CORRUPT', `${what} is neither a manifest nor an index`);
  return parseImageManifest(what, { type, config, layers });
}

function parseImageManifest(
  what: string,
  parts: { readonly type: string; readonly config: Document; readonly layers: readonly Document[] },
): Manifest {
  const config = parseDescriptor(parts.config);
  if (!CONFIG_TYPES.has(config.mediaType)) {
    throw new HealthctlError(
      'INVALID',
      `${what} is not of a container image: its config is ${printable(config.mediaType)}`,
    );
  }
  if (config.size > MAX_CONFIG_BYTES) throw parts.config.wrong('size', `is more than ${MAX_CONFIG_BYTES} bytes`);
  if (parts.layers.length > MAX_LAYERS) {
    throw new HealthctlError('CORRUPT', `${what} has more than ${MAX_LAYERS} layers`);
  }
  const layers = parts.layers.map(parseDescriptor);
  const foreign = layers.find((layer) => !LAYER_TYPE.test(layer.mediaType));
  if (foreign) {
    throw new HealthctlError('INVALID', `${what} has a layer of an unknown kind: ${printable(foreign.mediaType)}`);
  }
  const mediaType = parts.type === MEDIA_TYPES.dockerManifest ? parts.type : MEDIA_TYPES.ociManifest;
  return { kind: 'manifest', mediaType, config, layers };
}

function parseDescriptor(document: Document): Descriptor {
  const digest = document.string('digest') ?? '';
  const size = document.size('size');
  if (!DIGEST.test(digest)) throw document.wrong('digest', `is not a sha256 digest: ${printable(digest)}`);
  if (size === undefined) throw document.wrong('size', 'is missing');
  const platform = document.object('platform');
  const variant = platform?.string('variant');
  return {
    mediaType: document.string('mediaType') ?? '',
    digest,
    size,
    annotations: document.stringMap('annotations') ?? {},
    ...(platform
      ? {
          platform: {
            os: platform.string('os') ?? '',
            architecture: platform.string('architecture') ?? '',
            ...(variant ? { variant } : {}),
          },
        }
      : {}),
  };
}

/** The entries of an index that can run on `platform`, the best first; those without a platform come last. */
export function rankManifests(index: Index, platform: Platform): readonly Descriptor[] {
  return index.manifests
    .filter((entry) => entry.annotations[ATTESTATION_ANNOTATION] === undefined)
    .map((entry) => ({ entry, fit: entry.platform ? platformFit(entry.platform, platform) : 1 }))
    .filter(({ fit }) => fit > 0)
    .sort((a, b) => b.fit - a.fit)
    .map(({ entry }) => entry);
}

/** The entry of an index for `platform`. Throws NOT_FOUND with Docker's text. */
export function chooseManifest(index: Index, platform: Platform): Descriptor {
  const [best] = rankManifests(index, platform);
  if (best) return best;
  throw new HealthctlError(
    'NOT_FOUND',
    `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`,
    {
      hint: `it has ${index.manifests.flatMap(({ platform: p }) => (p ? printable(formatPlatform(p)) : [])).join(', ')}`,
    },
  );
}

export const isIndexType = (mediaType: string) =>
  mediaType === MEDIA_TYPES.dockerList || mediaType === MEDIA_TYPES.ociIndex;

/** Foreign text for use in a message: one line, bounded, safe for a terminal. */
export function printable(text: string): string {
  const line = text.replace(/[^\x20-\x7e]+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}

/**
 * Labels by which containerd's garbage collector finds the children of a manifest or an index (containerd,
 * docs/garbage-collection.md).
 */
export function gcLabels(document: Manifest | Index): Readonly<Record<string, string>> {
  if (document.kind === 'index') {
    return Object.fromEntries(
      document.manifests.map(({ digest }, i) => [`containerd.io/gc.ref.content.m.${i}`, digest]),
    );
  }
  return {
    'containerd.io/gc.ref.content.config': document.config.digest,
    ...Object.fromEntries(document.layers.map(({ digest }, i) => [`containerd.io/gc.ref.content.l.${i}`, digest])),
  };
}
