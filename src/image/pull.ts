import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { forEachLimited } from './chunks.ts';
import { type ImageConfig, parseImageConfig } from './config.ts';
import { shortId } from './digest-text.ts';
import { giveName } from './give-name.ts';
import { ingestBlob, ingestBytes, SOURCE_LABEL_PREFIX } from './ingest.ts';
import { randomSuffix, withImageLease } from './lease.ts';
import {
  chooseManifest,
  type Descriptor,
  gcLabels,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  parseManifest,
} from './manifest.ts';
import { hostPlatform, type Platform } from './platform.ts';
import type { OnProgress } from './progress.ts';
import { familiarName, fullName, type Reference } from './reference.ts';
import type { Credentials } from './registry/credentials.ts';
import { openRegistry, type Registry } from './registry/registry.ts';
import { unpackImage } from './unpack.ts';

export interface PullWorld {
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface PullRequest {
  /** With a tag or a digest: see withDefaultTag. */
  readonly reference: Reference;
  /** E.g. `overlayfs`. */
  readonly snapshotter: string;
  /** Default: this machine's. */
  readonly platform?: Platform;
  /** Replaces the credentials of Docker's config; its field is undefined for none. */
  readonly login?: { readonly credentials: Credentials | undefined };
  /** Use plain HTTP for any registry. Default false. */
  readonly plainHttp?: boolean;
  /** How long a registry may be silent. Default 30 s. */
  readonly idleTimeoutMs?: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface Pulled {
  /** Of the image record, e.g. `docker.io/library/busybox:latest`. */
  readonly name: string;
  readonly familiarName: string;
  /** Digest of the tag's target: an index or a manifest. */
  readonly digest: string;
  /** False if the name already had this digest. */
  readonly changed: boolean;
}

const MAX_DOWNLOADS = 3;

/**
 * Pulls an image from its registry, unpacks it and creates its name in containerd. Existing blobs are not fetched
 * again. After any failure or a cancellation, no name is created or moved, and fetched data is collected.
 */
export async function pullImage(world: PullWorld, request: PullRequest): Promise<Pulled> {
  const { reference, signal } = request;
  const registry = await openRegistry({ ...world, ...request }, signal);
  try {
    const top = await fetchTop(registry, reference, signal);
    return await withImageLease(world, (leased) => fetchImage(leased, { ...request, registry, top }));
  } finally {
    registry.close();
  }
}

/** All tags that a repository has in its registry. */
export async function listTags(
  world: Omit<PullWorld, 'containerd'>,
  request: Pick<PullRequest, 'reference' | 'login' | 'plainHttp' | 'signal'>,
): Promise<readonly string[]> {
  const registry = await openRegistry({ ...world, ...request }, request.signal);
  try {
    return await registry.listTags(request.signal);
  } finally {
    registry.close();
  }
}

type Fetched = Awaited<ReturnType<Registry['fetchManifest']>>;

interface Fetch extends PullRequest {
  readonly registry: Registry;
  /** The target of the reference. */
  readonly top: Fetched;
}

function fetchTop(registry: Registry, reference: Reference, signal?: AbortSignal): Promise<Fetched> {
  return registry.fetchManifest(reference.digest ?? reference.tag ?? 'latest', signal);
}

async function fetchImage(containerd: Containerd, fetch: Fetch): Promise<Pulled> {
  const { reference, top, snapshotter, onProgress, signal } = fetch;
  const image = familiarName(reference);
  const name = fullName(reference);
  const parsedTop = parseManifest(`manifest of ${image}`, top.bytes, top.mediaType);
  const { manifest, bytes, digest } = await fetchPlatformManifest(fetch, parsedTop);
  const config = await fetchBlobs(containerd, fetch, manifest);
  const options = signal ? { signal } : {};
  // Children before parents: a parent's labels must not name a missing child.
  await ingestDocument(containerd, fetch, { bytes, labels: gcLabels(manifest) });
  if (digest !== top.digest) {
    await ingestDocument(containerd, fetch, { bytes: top.bytes, labels: gcLabels(parsedTop) });
  }
  await unpackImage(containerd, {
    image,
    manifest,
    config,
    snapshotter,
    ...(onProgress ? { onProgress } : {}),
    ...options,
  });
  const before = await containerd.images.find(name, options);
  const changed = before?.target.digest !== top.digest;
  if (signal?.aborted) throw new HealthctlError('ABORTED', `pull of ${image} was cancelled`);
  const target = { mediaType: parsedTop.mediaType, digest: top.digest, size: top.bytes.length };
  await giveName(containerd, { name, target }, options);
  return { name, familiarName: image, digest: top.digest, changed };
}

async function fetchPlatformManifest(
  { registry, reference, top, platform = hostPlatform(), signal }: Fetch,
  parsedTop: ReturnType<typeof parseManifest>,
): Promise<{ manifest: Manifest; bytes: Buffer; digest: string }> {
  if (parsedTop.kind === 'manifest') return { manifest: parsedTop, bytes: top.bytes, digest: top.digest };
  const image = familiarName(reference);
  const entry = chooseManifest(parsedTop, platform);
  if (entry.size > MAX_MANIFEST_BYTES) {
    throw new HealthctlError('CORRUPT', `the manifest of ${image} is larger than ${MAX_MANIFEST_BYTES} bytes`);
  }
  const { bytes, digest } = await registry.fetchManifest(entry.digest, signal);
  const manifest = parseManifest(`manifest of ${image}`, bytes, entry.mediaType);
  if (manifest.kind === 'index') {
    throw new HealthctlError('INVALID', `the manifest list of ${image} holds another list for this platform`);
  }
  return { manifest, bytes, digest };
}

/** Config and layers into the content store. */
async function fetchBlobs(containerd: Containerd, fetch: Fetch, manifest: Manifest): Promise<ImageConfig> {
  const { reference, onProgress, signal } = fetch;
  await fetchBlob(containerd, fetch, manifest.config, signal);
  const bytes = await containerd.content.read(
    { digest: manifest.config.digest, maxBytes: MAX_CONFIG_BYTES },
    signal ? { signal } : {},
  );
  const config = parseImageConfig(familiarName(reference), bytes);
  // The same layer may occur twice (an empty one); it is fetched once.
  const layers = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
  for (const layer of layers) onProgress?.({ ref: shortId(layer.digest), status: 'Pulling fs layer' });
  await forEachLimited(
    layers,
    MAX_DOWNLOADS,
    async (layer, stop) => {
      const ref = shortId(layer.digest);
      const existed = await fetchBlob(containerd, fetch, layer, stop, (current) =>
        onProgress?.({ ref, status: 'Downloading', current, total: layer.size }),
      );
      onProgress?.({ ref, status: existed ? 'Already exists' : 'Download complete' });
    },
    signal,
  );
  return config;
}

async function fetchBlob(
  containerd: Containerd,
  { registry, reference }: Fetch,
  blob: Descriptor,
  signal?: AbortSignal,
  onBytes?: (current: number) => void,
): Promise<boolean> {
  const { existed } = await ingestBlob(
    containerd,
    {
      ref: `healthctl-pull-${randomSuffix()}`,
      digest: blob.digest,
      size: blob.size,
      labels: sourceLabel(reference),
      source: () => registry.readBlob(blob, signal),
      ...(onBytes ? { onBytes } : {}),
    },
    signal,
  );
  return existed;
}

async function ingestDocument(
  containerd: Containerd,
  { reference, signal }: Fetch,
  document: { readonly bytes: Buffer; readonly labels: Readonly<Record<string, string>> },
): Promise<void> {
  const labels = { ...sourceLabel(reference), ...document.labels };
  await ingestBytes(containerd, { ref: `healthctl-pull-${randomSuffix()}`, bytes: document.bytes, labels }, signal);
}

/** Names the repository of a blob, for RepoDigests. */
const sourceLabel = ({ domain, path }: Reference) => ({ [`${SOURCE_LABEL_PREFIX}${domain}`]: path });
