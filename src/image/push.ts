import type { Containerd } from '../containerd/client.ts';
import type { ImageRecord } from '../containerd/images.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { forEachLimited } from './chunks.ts';
import { shortId } from './digest-text.ts';
import { addLabels, SOURCE_LABEL_PREFIX } from './ingest.ts';
import { type Descriptor, MAX_MANIFEST_BYTES, type Manifest, parseManifest } from './manifest.ts';
import { imagePlatform, type Platform, refuseOtherPlatform } from './platform.ts';
import type { OnProgress } from './progress.ts';
import { familiarName, familiarRepository, fullName, type Reference } from './reference.ts';
import type { Credentials } from './registry/credentials.ts';
import { openRegistry, type Registry } from './registry/registry.ts';
import { readStoredImage } from './stored.ts';

export interface PushWorld {
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface PushRequest {
  /** With a tag. */
  readonly reference: Reference;
  /** Replaces the credentials of Docker's config; its field is undefined for none. */
  readonly login?: { readonly credentials: Credentials | undefined };
  /** Push only the image for this platform. */
  readonly platform?: Platform | undefined;
  /** Use plain HTTP for any registry. Default false. */
  readonly plainHttp?: boolean;
  /** How long a registry may be silent. Default 30 s. */
  readonly idleTimeoutMs?: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface Pushed {
  /** Of what the tag now is in the registry: a manifest or an index. */
  readonly digest: string;
  /** Bytes of that document. */
  readonly size: number;
}

/** Docker's number is 5; our connections to a registry are 4. */
const MAX_UPLOADS = 3;

/**
 * Uploads an image under its own name. Blobs that the registry has are not sent. The tag is written last, so that a
 * failure or a cancellation leaves no tag whose content is missing.
 *
 * An image for several platforms is pushed whole if all of it is here, else only the part for this machine, as Docker
 * does.
 *
 * @throws NOT_FOUND with Docker's text for a name that no image has
 */
export async function pushImage(world: PushWorld, request: PushRequest): Promise<Pushed> {
  const { reference, signal } = request;
  const record = await world.containerd.images.find(fullName(reference), signal ? { signal } : {});
  if (!record) throw noSuchName(reference);
  const plan = await planPush(world.containerd, record, request);
  const registry = await openRegistry({ ...world, ...request, access: 'push' }, signal);
  try {
    await uploadBlobs(world.containerd, registry, { ...request, plan });
    const top = plan.documents.at(-1);
    if (!top) throw new Error('a push has a manifest');
    for (const { digest, mediaType, bytes } of plan.documents) {
      const name = digest === top.digest ? (reference.tag ?? digest) : digest;
      await registry.putManifest(name, { mediaType, bytes }, signal);
    }
    await noteSource(world.containerd, reference, plan);
    return { digest: top.digest, size: top.bytes.length };
  } finally {
    registry.close();
  }
}

/** The names of a repository that have a tag. Throws NOT_FOUND with Docker's text if there is none. */
export async function tagsToPush(
  containerd: Containerd,
  repository: Reference,
  signal?: AbortSignal,
): Promise<readonly Reference[]> {
  const { domain, path } = repository;
  const prefix = `${domain}/${path}:`;
  const records = await containerd.images.list([], signal ? { signal } : {});
  const tags = records.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => name.slice(prefix.length));
  const plain = tags.filter((tag) => !tag.includes('@')).sort();
  if (plain.length === 0) throw noSuchName(repository);
  return plain.map((tag) => ({ domain, path, tag }));
}

const noSuchName = (reference: Reference) =>
  new HealthctlError('NOT_FOUND', `An image does not exist locally with the tag: ${familiarRepository(reference)}`, {
    hint: '"healthctl tag" gives an image the name under which it is to be pushed',
  });

interface Plan {
  /** Manifests, and an index after them. */
  readonly documents: readonly { readonly digest: string; readonly mediaType: string; readonly bytes: Buffer }[];
  readonly layers: readonly Descriptor[];
  readonly configs: readonly Descriptor[];
}

async function planPush(
  containerd: Containerd,
  { name, target }: ImageRecord,
  { reference, platform, signal }: PushRequest,
): Promise<Plan> {
  const image = familiarName(reference);
  const options = signal ? { signal } : {};
  const read = async (digest: string, mediaType: string) => {
    const bytes = await containerd.content.read({ digest, maxBytes: MAX_MANIFEST_BYTES }, options);
    return { bytes, document: parseManifest(`manifest of ${image}`, bytes, mediaType) };
  };
  const whole = platform ? undefined : await readAll(containerd, target, read, options);
  if (whole) return whole;
  const ofPlatform = platform ? { platform } : {};
  const { manifest, manifestDigest, config } = await readStoredImage(containerd, name, target, {
    ...options,
    ...ofPlatform,
  });
  if (platform) refuseOtherPlatform(image, imagePlatform(config), platform);
  const { bytes } = await read(manifestDigest, manifest.mediaType);
  return planOf([{ digest: manifestDigest, mediaType: manifest.mediaType, bytes }], [manifest]);
}

type ReadDocument = (
  digest: string,
  mediaType: string,
) => Promise<{ bytes: Buffer; document: ReturnType<typeof parseManifest> }>;

/** Undefined if a part of it is not in the content store. */
async function readAll(
  containerd: Containerd,
  target: { readonly digest: string; readonly mediaType: string },
  read: ReadDocument,
  options: { readonly signal?: AbortSignal },
): Promise<Plan | undefined> {
  try {
    const top = await read(target.digest, target.mediaType);
    const self = { digest: target.digest, mediaType: top.document.mediaType, bytes: top.bytes };
    if (top.document.kind === 'manifest') return planOf([self], [top.document]);
    const documents = [];
    const manifests: Manifest[] = [];
    for (const entry of top.document.manifests) {
      const { bytes, document } = await read(entry.digest, entry.mediaType);
      if (document.kind === 'index') return undefined;
      documents.push({ digest: entry.digest, mediaType: document.mediaType, bytes });
      manifests.push(document);
    }
    const plan = planOf([...documents, self], manifests);
    for (const { digest } of [...plan.configs, ...plan.layers]) {
      if (!(await containerd.content.find(digest, options))) return undefined;
    }
    return plan;
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND', 'INVALID')) return undefined;
    throw error;
  }
}

function planOf(documents: Plan['documents'], manifests: readonly Manifest[]): Plan {
  const once = (blobs: readonly Descriptor[]) => [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  return {
    documents,
    layers: once(manifests.flatMap(({ layers }) => layers)),
    configs: once(manifests.map(({ config }) => config)),
  };
}

async function uploadBlobs(
  containerd: Containerd,
  registry: Registry,
  push: PushRequest & { readonly plan: Plan },
): Promise<void> {
  const { plan, onProgress, signal } = push;
  for (const { digest } of plan.layers) onProgress?.({ ref: shortId(digest), status: 'Preparing' });
  for (const { digest } of plan.layers.slice(MAX_UPLOADS)) onProgress?.({ ref: shortId(digest), status: 'Waiting' });
  await forEachLimited(
    plan.layers,
    MAX_UPLOADS,
    (layer, stop) => uploadLayer(containerd, registry, { push, layer }, stop),
    signal,
  );
  for (const config of plan.configs) {
    if (await registry.hasBlob(config.digest, signal)) continue;
    await registry.uploadBlob({ ...config, source: () => streamBlob(containerd, push, config, signal) }, signal);
  }
}

async function uploadLayer(
  containerd: Containerd,
  registry: Registry,
  { push, layer }: { readonly push: PushRequest; readonly layer: Descriptor },
  signal: AbortSignal,
): Promise<void> {
  const { reference, onProgress } = push;
  const ref = shortId(layer.digest);
  if (await registry.hasBlob(layer.digest, signal)) return onProgress?.({ ref, status: 'Layer already exists' });
  const mountFrom = await otherRepository(containerd, reference, layer.digest);
  const source = async function* () {
    let current = 0;
    for await (const chunk of streamBlob(containerd, push, layer, signal)) {
      yield chunk;
      current += chunk.length;
      onProgress?.({ ref, status: 'Pushing', current, total: layer.size });
    }
  };
  const from = await registry.uploadBlob({ ...layer, mountFrom, source }, signal);
  onProgress?.({ ref, status: from === undefined ? 'Pushed' : `Mounted from ${from}` });
}

async function* streamBlob(
  containerd: Containerd,
  { reference }: PushRequest,
  { digest }: Descriptor,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* containerd.content.stream(digest, signal ? { signal } : {});
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    const image = familiarName(reference);
    throw new HealthctlError('NOT_FOUND', `image ${image} lacks its blob ${digest} in the content store`, {
      cause: error,
      hint: `pull or load ${image} again`,
    });
  }
}

/** A repository of the same registry from which the blob came. */
async function otherRepository(
  containerd: Containerd,
  { domain, path }: Reference,
  digest: string,
): Promise<string | undefined> {
  const labels = (await containerd.content.find(digest))?.labels ?? {};
  return labels[`${SOURCE_LABEL_PREFIX}${domain}`]?.split(',').find((repository) => repository !== path);
}

/** From now on the image has a digest in this repository, and its blobs can be mounted from there. */
async function noteSource(containerd: Containerd, { domain, path }: Reference, plan: Plan): Promise<void> {
  const label = { [`${SOURCE_LABEL_PREFIX}${domain}`]: path };
  for (const { digest } of [...plan.layers, ...plan.configs, ...plan.documents]) {
    await addLabels(containerd, digest, label);
  }
}
