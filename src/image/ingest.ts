import type { Containerd } from '../containerd/client.ts';
import type { ContentWriter } from '../containerd/content.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { gatherChunks } from './chunks.ts';
import { digestOf } from './digest.ts';

/** Label of a blob, followed by the registry; its value lists the repositories of the blob, separated by commas. */
export const SOURCE_LABEL_PREFIX = 'containerd.io/distribution.source.';

/** A blob to write to the content store. */
export interface BlobIngest {
  /** Names the write; random, so that two processes that fetch the same blob do not wait for each other. */
  readonly ref: string;
  /** If known, a blob with another digest is refused. */
  readonly digest?: string;
  readonly size?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Called only if the blob is missing. */
  source(): AsyncIterable<Uint8Array>;
  /** Bytes so far. */
  onBytes?(current: number): void;
}

/**
 * Streams a blob into the content store, under the lease of `containerd`. A failure leaves nothing.
 *
 * @returns its digest, and whether it already existed, in this namespace or in another
 */
export async function ingestBlob(
  containerd: Containerd,
  blob: BlobIngest,
  signal?: AbortSignal,
): Promise<{ readonly digest: string; readonly size: number; readonly existed: boolean }> {
  const { ref, digest, size, labels = {} } = blob;
  const writer = await containerd.content.openWriter(
    { ref, labels, ...(digest === undefined ? {} : { digest }), ...(size === undefined ? {} : { size }) },
    signal ? { signal } : {},
  );
  if (!writer) {
    if (digest !== undefined) await addLabels(containerd, digest, labels);
    return { digest: digest ?? '', size: size ?? 0, existed: true };
  }
  try {
    // containerd shares blobs between namespaces: one of another namespace is complete before the first byte.
    const existed = size !== undefined && size > 0 && writer.offset === size;
    const written = existed ? size : await copyInto(writer, blob, signal);
    return { digest: await writer.commit(), size: written, existed };
  } catch (error) {
    await writer.abort();
    if (digest === undefined || !hasCode(error, 'ALREADY_EXISTS')) throw error;
    // Another process was faster. A second request puts that blob under our lease.
    return ingestBlob(containerd, blob, signal);
  }
}

async function copyInto(writer: ContentWriter, blob: BlobIngest, signal?: AbortSignal): Promise<number> {
  let current = 0;
  for await (const chunk of gatherChunks(blob.source())) {
    if (signal?.aborted) throw new HealthctlError('ABORTED', `writing ${blob.ref} was cancelled`);
    await writer.write(chunk);
    current += chunk.length;
    blob.onBytes?.(current);
  }
  return current;
}

/** The labels that the writer would have set: a blob by another tool may lack the labels that keep its children. */
export async function addLabels(
  containerd: Containerd,
  digest: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  if (Object.keys(labels).length === 0) return;
  const present = (await containerd.content.find(digest))?.labels ?? {};
  const merged = Object.entries(labels).map(([key, value]) => {
    const before = key.startsWith(SOURCE_LABEL_PREFIX) ? (present[key]?.split(',') ?? []) : [];
    return [key, [...new Set([...before, value])].join(',')] as const;
  });
  const changed = merged.filter(([key, value]) => present[key] !== value);
  if (changed.length > 0) await containerd.content.setLabels(digest, Object.fromEntries(changed));
}

/** Writes a document from memory. */
export async function ingestBytes(
  containerd: Containerd,
  document: { readonly bytes: Uint8Array; readonly ref: string; readonly labels?: Readonly<Record<string, string>> },
  signal?: AbortSignal,
): Promise<{ readonly digest: string; readonly size: number }> {
  const { bytes, ref, labels } = document;
  const digest = digestOf(bytes);
  const source = async function* () {
    yield bytes;
  };
  await ingestBlob(containerd, { ref, digest, size: bytes.length, source, ...(labels ? { labels } : {}) }, signal);
  return { digest, size: bytes.length };
}
