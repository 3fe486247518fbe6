import { shortId } from '../digest-text.ts';
import { familiarName, type Reference } from '../reference.ts';
import { checkStatus } from './answers.ts';
import { type Session, targetOf } from './session.ts';

/** A blob to be uploaded. */
export interface BlobSource {
  readonly digest: string;
  readonly size: number;
  /** Another repository of the same registry that has the blob. */
  readonly mountFrom?: string | undefined;
  /** Read again from its beginning if the upload is repeated. */
  source(): AsyncIterable<Uint8Array>;
}

export async function hasBlob(
  session: Session,
  { reference, digest }: { readonly reference: Reference; readonly digest: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const target = `v2/${reference.path}/blobs/${digest}`;
  const response = await session.send({ method: 'HEAD', target }, signal);
  response.discard();
  if (response.status === 404) return false;
  await checkStatus(response, blobOf(reference, digest));
  return true;
}

/**
 * One POST that opens the upload, one PUT with all bytes (OCI distribution spec, "Pushing a blob monolithically", POST
 * then PUT).
 *
 * @returns the repository from which the registry took the blob
 */
export async function uploadBlob(
  session: Session,
  { reference, blob }: { readonly reference: Reference; readonly blob: BlobSource },
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { digest, size, mountFrom, source } = blob;
  const what = `the upload of ${blobOf(reference, digest)}`;
  const mount = mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: digest, from: mountFrom })}`;
  const opened = await session.send(
    {
      method: 'POST',
      target: `v2/${reference.path}/blobs/uploads/${mount}`,
      headers: { 'Content-Length': '0' },
      body: Buffer.alloc(0),
    },
    signal,
  );
  await checkStatus(opened, what, [201, 202]);
  opened.discard();
  if (opened.status === 201) return mountFrom;
  const target = targetOf(opened, opened.headers.location ?? '');
  target.searchParams.set('digest', digest);
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) };
  const done = await session.send({ method: 'PUT', target, headers, body: { size, source } }, signal);
  await checkStatus(done, what, [200, 201, 204]);
  done.discard();
  return undefined;
}

export async function putManifest(
  session: Session,
  put: { readonly reference: Reference; readonly name: string; readonly mediaType: string; readonly bytes: Buffer },
  signal?: AbortSignal,
): Promise<void> {
  const { reference, name, mediaType, bytes } = put;
  const headers = { 'Content-Type': mediaType, 'Content-Length': String(bytes.length) };
  const target = `v2/${reference.path}/manifests/${name}`;
  const response = await session.send({ method: 'PUT', target, headers, body: bytes }, signal);
  await checkStatus(response, `manifest of ${familiarName(reference)}`, [200, 201, 202]);
  response.discard();
}

const blobOf = (reference: Reference, digest: string) => `blob ${shortId(digest)} of ${familiarName(reference)}`;
