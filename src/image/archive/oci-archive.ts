import type { Containerd } from '../../containerd/client.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { checkLayerCount, parseImageConfig } from '../config.ts';
import {
  type Descriptor,
  gcLabels,
  type Index,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  parseManifest,
  rankManifests,
} from '../manifest.ts';
import { hostPlatform } from '../platform.ts';
import { fullName, tryParseReference, withDefaultTag } from '../reference.ts';
import type { Collected } from './collect.ts';
import { namesOfTags, parseDockerManifest } from './docker-archive.ts';
import type { Found } from './found.ts';

/** Written by containerd and Docker: the full name. */
const CONTAINERD_NAME = 'io.containerd.image.name';
/** OCI image spec: a tag or a full name, as the writer chooses. */
const REF_NAME = 'org.opencontainers.image.ref.name';

/** The images of an OCI layout. Throws CORRUPT or NOT_FOUND with the missing part. */
export async function findOciImages(
  containerd: Containerd,
  archive: Collected,
  signal?: AbortSignal,
): Promise<readonly Found[]> {
  const { ociIndex, what } = archive;
  if (!ociIndex) return [];
  const top = parseManifest(`index.json of ${what}`, ociIndex);
  if (top.kind !== 'index') throw new HealthctlError('CORRUPT', `index.json of ${what} is no index`);
  const images = new Map<string, Found>();
  for (const entry of top.manifests) {
    const found = await readImage(containerd, archive, entry, signal);
    if (!found) continue;
    // An image with several names has one entry per name in a layout.
    const same = images.get(found.target.digest);
    images.set(found.target.digest, same ? { ...found, names: [...new Set([...same.names, ...found.names])] } : found);
  }
  return addDockerNames(archive, [...images.values()]);
}

/** Undefined for an image for other platforms only. */
async function readImage(
  containerd: Containerd,
  archive: Collected,
  entry: Descriptor,
  signal?: AbortSignal,
): Promise<Found | undefined> {
  const what = `manifest ${entry.digest} of ${archive.what}`;
  const top = await readManifestBlob(containerd, archive, { entry, what }, signal);
  if (!top) throw new HealthctlError('CORRUPT', `${archive.what} lacks its blob ${entry.digest}`);
  const manifest = top.kind === 'index' ? await choosePresent(containerd, archive, top, signal) : top;
  if (!manifest) return undefined;
  const missing = [manifest.config, ...manifest.layers].find(({ digest }) => !archive.blob(digest));
  if (missing) throw new HealthctlError('CORRUPT', `${archive.what} lacks its blob ${missing.digest}`);
  const options = signal ? { signal } : {};
  const bytes = await containerd.content.read({ digest: manifest.config.digest, maxBytes: MAX_CONFIG_BYTES }, options);
  const names = namesOf(entry);
  const config = parseImageConfig(names[0] ?? entry.digest, bytes);
  checkLayerCount(names[0] ?? entry.digest, config, manifest.layers.length);
  const size = archive.blob(entry.digest)?.size ?? entry.size;
  return { names, target: { mediaType: top.mediaType, digest: entry.digest, size, annotations: {} }, manifest, config };
}

async function choosePresent(
  containerd: Containerd,
  archive: Collected,
  index: Index,
  signal?: AbortSignal,
): Promise<Manifest | undefined> {
  for (const entry of rankManifests(index, hostPlatform())) {
    const what = `manifest ${entry.digest} of ${archive.what}`;
    const manifest = await readManifestBlob(containerd, archive, { entry, what }, signal);
    if (manifest?.kind === 'manifest') return manifest;
  }
  return undefined;
}

/** Undefined if the archive lacks it, like an archive for one platform of a larger index. */
async function readManifestBlob(
  containerd: Containerd,
  archive: Collected,
  { entry, what }: { readonly entry: Descriptor; readonly what: string },
  signal?: AbortSignal,
): Promise<Manifest | Index | undefined> {
  if (!archive.blob(entry.digest)) return undefined;
  const options = signal ? { signal } : {};
  const bytes = await containerd.content.read({ digest: entry.digest, maxBytes: MAX_MANIFEST_BYTES }, options);
  const manifest = parseManifest(what, bytes, entry.mediaType);
  await containerd.content.setLabels(entry.digest, gcLabels(manifest), options);
  return manifest;
}

/** The full names in an index entry. */
function namesOf({ annotations }: Descriptor): readonly string[] {
  const full = annotations[CONTAINERD_NAME];
  const ref = annotations[REF_NAME];
  // A bare word is a tag of an unknown repository.
  const name = full ?? (ref && /[/:]/.test(ref) ? ref : undefined);
  const reference = name === undefined ? undefined : tryParseReference(name);
  return reference ? [fullName(withDefaultTag(reference))] : [];
}

/** `docker save` writes both forms into one archive, sometimes with the names only in its own. */
function addDockerNames(archive: Collected, images: readonly Found[]): readonly Found[] {
  if (!archive.dockerManifest || images.every(({ names }) => names.length > 0)) return images;
  const entries = parseDockerManifest(archive.what, archive.dockerManifest);
  return images.map((image) => {
    const entry = entries.find(({ config }) => config.includes(image.manifest.config.digest.slice('sha256:'.length)));
    const names = entry ? namesOfTags(archive.what, entry.tags) : [];
    return { ...image, names: [...new Set([...image.names, ...names])] };
  });
}
