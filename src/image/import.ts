import type { Readable } from 'node:stream';
import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { openUnpacked } from './archive/members.ts';
import { applyChanges } from './changes.ts';
import { parseImageConfig } from './config.ts';
import { giveName } from './give-name.ts';
import { ingestBlob, ingestBytes } from './ingest.ts';
import { randomSuffix, withImageLease } from './lease.ts';
import { gcLabels, MEDIA_TYPES, parseManifest } from './manifest.ts';
import { danglingName } from './names.ts';
import { hostPlatform, type Platform } from './platform.ts';
import { familiarName, fullName, type Reference } from './reference.ts';
import { unpackImage } from './unpack.ts';

export interface ImportRequest {
  /** Names the archive in errors, e.g. `rootfs.tar`. */
  readonly what: string;
  /** A tar of a file system, gzip-compressed or not; nothing at all is an empty one. Destroyed afterwards. */
  readonly source: Readable;
  /** With a tag; undefined for an image without a name. */
  readonly reference?: Reference | undefined;
  /** Instructions of a Dockerfile: see applyChanges. */
  readonly changes: readonly string[];
  readonly message: string;
  /** Default: this machine's. */
  readonly platform?: Platform | undefined;
  /** E.g. `overlayfs`. */
  readonly snapshotter: string;
  readonly signal?: AbortSignal;
}

/** The end of a tar: an archive without members. */
const EMPTY_TAR = Buffer.alloc(1024);

/**
 * Makes an image with one layer of a file system's archive. After a failure or a cancellation there is no image.
 *
 * @returns its id, the digest of its config
 * @throws INVALID for wrong changes, and for a platform that is not of Linux
 */
export async function importImage(
  world: { readonly containerd: Containerd; readonly clock: Clock },
  request: ImportRequest,
): Promise<string> {
  const { what, source, signal } = request;
  const { platform = hostPlatform(), changes } = request;
  if (platform.os !== 'linux') throw new HealthctlError('INVALID', 'operating system is not supported');
  const config = applyChanges({}, changes);
  return withImageLease(world, async (containerd) => {
    const layer = await ingestBlob(
      containerd,
      { ref: `healthctl-import-${randomSuffix()}`, source: () => orEmptyTar(openUnpacked(what, source, signal)) },
      signal,
    );
    const created = new Date(world.clock.now()).toISOString();
    const { message } = request;
    const bytes = Buffer.from(
      JSON.stringify({
        ...platform,
        created,
        comment: message,
        config,
        rootfs: { type: 'layers', diff_ids: [layer.digest] },
        history: [{ created, comment: message }],
      }),
    );
    return storeImage(containerd, { request, bytes, layer });
  });
}

async function* orEmptyTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  for await (const chunk of chunks) {
    isEmpty &&= chunk.length === 0;
    yield chunk;
  }
  if (isEmpty) yield EMPTY_TAR;
}

interface Parts {
  readonly request: ImportRequest;
  /** Of the config. */
  readonly bytes: Buffer;
  readonly layer: { readonly digest: string; readonly size: number };
}

async function storeImage(containerd: Containerd, { request, bytes, layer }: Parts): Promise<string> {
  const { reference, snapshotter, signal } = request;
  const store = (document: Buffer, labels: Readonly<Record<string, string>> = {}) =>
    ingestBytes(containerd, { ref: `healthctl-import-${randomSuffix()}`, bytes: document, labels }, signal);
  const config = await store(bytes);
  const manifestBytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.dockerManifest,
      config: { mediaType: MEDIA_TYPES.dockerConfig, ...config },
      layers: [{ mediaType: MEDIA_TYPES.dockerLayer, digest: layer.digest, size: layer.size }],
    }),
  );
  const image = reference ? familiarName(reference) : config.digest;
  const manifest = parseManifest(`manifest of ${image}`, manifestBytes);
  if (manifest.kind !== 'manifest') throw new Error('we wrote a manifest');
  const target = { mediaType: MEDIA_TYPES.dockerManifest, ...(await store(manifestBytes, gcLabels(manifest))) };
  const options = signal ? { signal } : {};
  await unpackImage(containerd, { image, manifest, config: parseImageConfig(image, bytes), snapshotter, ...options });
  if (signal?.aborted) throw new HealthctlError('ABORTED', `import of ${request.what} was cancelled`);
  await giveName(containerd, { name: reference ? fullName(reference) : danglingName(target.digest), target });
  return config.digest;
}
