import type { Readable } from 'node:stream';
import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { openUnpacked } from './archive/members.ts';
import { applyChanges } from './changes.ts';
import { ingestBlob } from './ingest.ts';
import { randomSuffix, withImageLease } from './lease.ts';
import { MEDIA_TYPES } from './manifest.ts';
import { hostPlatform, type Platform } from './platform.ts';
import type { Reference } from './reference.ts';
import { storeImage } from './store-image.ts';

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
    const { reference, snapshotter } = request;
    const layers = [{ mediaType: MEDIA_TYPES.dockerLayer, ...layer }];
    return storeImage(containerd, { bytes, layers, reference, snapshotter, signal });
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
