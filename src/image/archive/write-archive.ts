import type { Containerd } from '../../containerd/client.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { tarEnd, tarHeader, tarPadding } from '../../lib/tar-header.ts';
import { digestOf } from '../digest.ts';
import { type Descriptor, MEDIA_TYPES } from '../manifest.ts';
import { familiarName, familiarRepository, fullName, type Reference } from '../reference.ts';
import type { StoredImage } from '../stored.ts';

/** An image to be written, with the names that it gets in the archive. */
export interface ImageToWrite {
  /** For errors. */
  readonly familiarName: string;
  readonly image: StoredImage;
  /** With a tag each. */
  readonly names: readonly Reference[];
}

const DIRECTORIES = ['blobs/', 'blobs/sha256/'];
const OCI_LAYOUT = '{"imageLayoutVersion": "1.0.0"}';

const pathOf = (digest: string) => `blobs/${digest.replace(':', '/')}`;

/**
 * A tar that is both a docker-archive and an OCI layout, as Docker writes since version 25. The blobs are those of the
 * content store: layers stay compressed, digests stay the same. Equal images make equal archives.
 */
export async function* writeArchive(
  containerd: Containerd,
  images: readonly ImageToWrite[],
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const name of DIRECTORIES) yield tarHeader({ name, kind: 'directory', size: 0 });
  const written = new Set<string>();
  const manifests: Descriptor[] = [];
  for (const { image, familiarName: name } of images) {
    const { manifest, manifestDigest, config } = image;
    const bytes = await readManifestBytes(containerd, { name, digest: manifestDigest }, signal);
    const { mediaType } = manifest;
    manifests.push({ mediaType, digest: manifestDigest, size: bytes.length, annotations: {} });
    const createdMs = Date.parse(config.created ?? '') || 0;
    for (const blob of [...manifest.layers, { ...manifest.config, createdMs }]) {
      if (written.has(blob.digest)) continue;
      written.add(blob.digest);
      yield* writeBlob(containerd, { name, blob }, signal);
    }
    if (written.has(manifestDigest)) continue;
    written.add(manifestDigest);
    yield* fileOf(pathOf(manifestDigest), bytes);
  }
  yield* fileOf('index.json', Buffer.from(JSON.stringify(indexOf(images, manifests))));
  yield* fileOf('manifest.json', Buffer.from(`${JSON.stringify(dockerManifestOf(images))}\n`));
  yield* fileOf('oci-layout', Buffer.from(OCI_LAYOUT));
  const repositories = repositoriesOf(images);
  if (Object.keys(repositories).length > 0) {
    yield* fileOf('repositories', Buffer.from(`${JSON.stringify(repositories)}\n`));
  }
  yield tarEnd();
}

function* fileOf(name: string, bytes: Buffer): Generator<Uint8Array> {
  yield tarHeader({ name, kind: 'file', size: bytes.length });
  yield bytes;
  yield tarPadding(bytes.length);
}

async function* writeBlob(
  containerd: Containerd,
  of: { readonly name: string; readonly blob: Descriptor & { readonly createdMs?: number } },
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { name, blob } = of;
  const { digest, size, createdMs = 0 } = blob;
  yield tarHeader({ name: pathOf(digest), kind: 'file', size, mtimeMs: createdMs });
  let sent = 0;
  try {
    for await (const chunk of containerd.content.stream(digest, signal ? { signal } : {})) {
      sent += chunk.length;
      if (sent > size) break;
      yield chunk;
    }
  } catch (error) {
    throw hasCode(error, 'NOT_FOUND') ? lacks(name, digest, error) : error;
  }
  if (sent !== size) {
    throw new HealthctlError('CORRUPT', `blob ${digest} of image ${name} has not the size that its manifest says`);
  }
  yield tarPadding(size);
}

/** The manifest is small; its bytes are checked, because a reader of the archive finds everything by them. */
async function readManifestBytes(
  containerd: Containerd,
  { name, digest }: { readonly name: string; readonly digest: string },
  signal?: AbortSignal,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of containerd.content.stream(digest, signal ? { signal } : {})) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) === digest) return bytes;
  throw new HealthctlError('CORRUPT', `the manifest ${digest} of image ${name} is damaged in the content store`);
}

/** An entry for each name, and one for an image without. */
function indexOf(images: readonly ImageToWrite[], manifests: readonly Descriptor[]) {
  const entries = images.flatMap(({ names }, index) => {
    const { mediaType, digest, size } = manifests[index] ?? { mediaType: '', digest: '', size: 0 };
    const entry = { mediaType, digest, size };
    if (names.length === 0) return [entry];
    return names.map((reference) => ({
      ...entry,
      annotations: {
        'io.containerd.image.name': fullName(reference),
        'org.opencontainers.image.ref.name': reference.tag ?? '',
      },
    }));
  });
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: entries };
}

function dockerManifestOf(images: readonly ImageToWrite[]) {
  return images.map(({ names, image: { manifest, config } }) => ({
    Config: pathOf(manifest.config.digest),
    RepoTags: names.length > 0 ? names.map(familiarName) : null,
    Layers: manifest.layers.map(({ digest }) => pathOf(digest)),
    LayerSources: Object.fromEntries(
      manifest.layers.map(({ mediaType, size, digest }, index) => [
        config.diffIds[index] ?? digest,
        { mediaType, size, digest },
      ]),
    ),
  }));
}

/** The oldest form: repository, tag, and the topmost layer. */
function repositoriesOf(images: readonly ImageToWrite[]): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { names, image } of images) {
    const top = image.manifest.layers.at(-1)?.digest.slice('sha256:'.length);
    if (top === undefined) continue;
    for (const reference of names) {
      const repository = familiarRepository(reference);
      repositories[repository] = { ...repositories[repository], [reference.tag ?? '']: top };
    }
  }
  return repositories;
}

function lacks(image: string, digest: string, cause: unknown): HealthctlError {
  return new HealthctlError('NOT_FOUND', `image ${image} lacks its blob ${digest} in the content store`, {
    cause,
    hint: `pull or load ${image} again`,
  });
}
