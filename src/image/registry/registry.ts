import { createHash } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { digestOf } from '../digest.ts';
import { shortId } from '../digest-text.ts';
import { parseDocument } from '../document.ts';
import { type Descriptor, MEDIA_TYPES, printable } from '../manifest.ts';
import { familiarName, familiarRepository, type Reference } from '../reference.ts';
import { checkStatus, readBounded } from './answers.ts';
import { CERTIFICATE_DIRECTORIES, readCertificates } from './certificates.ts';
import type { Credentials } from './credentials.ts';
import { findCredentials } from './docker-config.ts';
import { findEndpoint } from './endpoint.ts';
import { type HttpResponse, openHttp } from './http.ts';
import { isTransient, pauseBeforeRetry, RETRY_DELAYS_MS, withRetries } from './retry.ts';
import { openSession, type Session } from './session.ts';
import { type BlobSource, hasBlob, putManifest, uploadBlob } from './upload.ts';

/** A repository of a registry with the Docker Registry HTTP API V2, or OCI's of the same form. */
export interface Registry {
  /** Host and port in use. */
  readonly host: string;
  /** @param name a tag or a digest. @returns the bytes, which have the descriptor's digest */
  fetchManifest(
    name: string,
    signal?: AbortSignal,
  ): Promise<{ readonly mediaType: string; readonly digest: string; readonly bytes: Buffer }>;
  /**
   * The bytes of a blob. A broken connection is resumed where it broke, a few times. Throws CORRUPT at the end if size
   * or digest differ from the descriptor: the yielded bytes must not be used then.
   */
  readBlob(descriptor: Descriptor, signal?: AbortSignal): AsyncGenerator<Buffer>;
  /** All tags of the repository. */
  listTags(signal?: AbortSignal): Promise<readonly string[]>;
  hasBlob(digest: string, signal?: AbortSignal): Promise<boolean>;
  /**
   * Stores a blob, or takes it from another repository of this registry that has it.
   *
   * @returns that repository, if it was taken from there
   */
  uploadBlob(blob: BlobSource, signal?: AbortSignal): Promise<string | undefined>;
  /** @param name a tag or a digest */
  putManifest(
    name: string,
    manifest: { readonly mediaType: string; readonly bytes: Buffer },
    signal?: AbortSignal,
  ): Promise<void>;
  close(): void;
}

export interface RegistryOptions {
  readonly reference: Reference;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default `pull`. */
  readonly access?: 'pull' | 'push';
  /** Replaces the credentials of Docker's config; its field is undefined for none. */
  readonly login?: { readonly credentials: Credentials | undefined };
  /** Default false: plain HTTP for this machine only. */
  readonly plainHttp?: boolean;
  /** Default 30 s. */
  readonly idleTimeoutMs?: number;
  /** Default /etc/docker/certs.d and /etc/containerd/certs.d. */
  readonly certificateDirectories?: readonly string[];
}

const MANIFEST_TYPES = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.dockerList,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerManifest,
].join(', ');
/** After this much data on a connection, the count of failures starts over. */
const PROGRESS_BYTES = 1 << 20;
const IDLE_TIMEOUT_MS = 30_000;

/** Sends nothing before the first request. Throws CONFIG for an invalid Docker config. */
export async function openRegistry(options: RegistryOptions, signal?: AbortSignal): Promise<Registry> {
  const { reference, clock, env, access = 'pull', login, plainHttp = false } = options;
  const { idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  const directories = options.certificateDirectories ?? CERTIFICATE_DIRECTORIES;
  const [endpoint, credentials] = await Promise.all([
    findEndpoint(reference.domain, { plainHttp, certificateDirectories: directories }),
    login ? login.credentials : findCredentials(reference.domain, env, signal),
  ]);
  const http = openHttp({
    clock,
    idleTimeoutMs,
    certificates: () => readCertificates(reference.domain, env, directories),
  });
  const scope = `repository:${reference.path}:${access === 'push' ? 'pull,push' : 'pull'}`;
  const session = openSession({ http, endpoint, scope, credentials, repository: reference.path, access });
  return {
    host: endpoint.host,
    fetchManifest: (name, s) => withRetries(clock, () => fetchManifest(session, { reference, name }, s), s),
    readBlob: (descriptor, s) => readBlob(session, { clock, reference, descriptor }, s),
    listTags: (s) => withRetries(clock, () => listTags(session, reference, s), s),
    hasBlob: (digest, s) => withRetries(clock, () => hasBlob(session, { reference, digest }, s), s),
    uploadBlob: (blob, s) => withRetries(clock, () => uploadBlob(session, { reference, blob }, s), s),
    putManifest: (name, manifest, s) =>
      withRetries(clock, () => putManifest(session, { reference, name, ...manifest }, s), s),
    close: () => http.close(),
  };
}

async function fetchManifest(
  session: Session,
  ask: { readonly reference: Reference; readonly name: string },
  signal?: AbortSignal,
) {
  const { reference, name } = ask;
  const path = `v2/${reference.path}/manifests/${name}`;
  const response = await session.get(path, { Accept: MANIFEST_TYPES }, signal);
  const host = response.url.host;
  if (response.status === 404) {
    response.discard();
    throw new HealthctlError(
      'NOT_FOUND',
      `manifest for ${familiarName(reference)} not found: manifest unknown: manifest unknown`,
    );
  }
  await checkStatus(response, `manifest of ${familiarName(reference)}`);
  const mediaType = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaType === 'text/html') {
    response.discard();
    throw new HealthctlError('INVALID', `${host} is no image registry: it answered with a web page`);
  }
  const bytes = await readBounded(response, `manifest of ${familiarName(reference)}`);
  const digest = digestOf(bytes);
  const said = response.headers['docker-content-digest'];
  const wanted = name.includes(':') ? name : typeof said === 'string' && said.startsWith('sha256:') ? said : digest;
  if (wanted !== digest) {
    throw new HealthctlError(
      'CORRUPT',
      `registry ${host} sent a manifest for ${familiarName(reference)} with the digest ${digest}, not ${printable(wanted)}`,
    );
  }
  return { mediaType, digest, bytes };
}

async function listTags(session: Session, reference: Reference, signal?: AbortSignal): Promise<readonly string[]> {
  const what = `tags of ${familiarRepository(reference)}`;
  const response = await session.get(`v2/${reference.path}/tags/list`, {}, signal);
  await checkStatus(response, what);
  return parseDocument(what, await readBounded(response, what)).strings('tags') ?? [];
}

interface BlobRead {
  readonly clock: Clock;
  readonly reference: Reference;
  readonly descriptor: Descriptor;
}

async function* readBlob(session: Session, read: BlobRead, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const { clock, descriptor } = read;
  const hash = createHash('sha256');
  const at = { received: 0 };
  let failures = 0;
  while (true) {
    const before = at.received;
    try {
      for await (const chunk of readFrom(session, read, at, signal)) {
        hash.update(chunk);
        yield chunk;
      }
      break;
    } catch (error) {
      if (at.received - before >= PROGRESS_BYTES) failures = 0;
      const delayMs = RETRY_DELAYS_MS[failures++];
      if (!isTransient(error) || delayMs === undefined) throw error;
      await pauseBeforeRetry(clock, delayMs, signal);
    }
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest === descriptor.digest) return;
  throw new HealthctlError('CORRUPT', `registry sent a blob with the digest ${digest}, not ${descriptor.digest}`);
}

/** The part of a blob on one connection, from `at.received` on, which it advances. */
async function* readFrom(
  session: Session,
  { descriptor, reference }: BlobRead,
  at: { received: number },
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const { digest, size } = descriptor;
  const range: Record<string, string> = at.received > 0 ? { Range: `bytes=${at.received}-` } : {};
  const response = await session.get(`v2/${reference.path}/blobs/${digest}`, range, signal);
  await checkStatus(response, `blob ${shortId(digest)} of ${familiarName(reference)}`);
  if (response.status === 206) checkRange(response, at.received);
  let skip = response.status === 206 ? 0 : at.received;
  for await (const chunk of response.body()) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length === 0) continue;
    at.received += rest.length;
    if (at.received > size) {
      throw new HealthctlError('CORRUPT', `blob ${digest} is larger than the ${size} bytes that its manifest says`);
    }
    yield rest;
  }
  if (at.received < size) {
    throw new HealthctlError('UNAVAILABLE', `blob ${digest} is truncated: ${at.received} of ${size} bytes came`);
  }
}

function checkRange(response: HttpResponse, start: number): void {
  const said = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
  if (said === String(start)) return;
  response.discard();
  throw new HealthctlError('CORRUPT', `registry ${response.url.host} answered with another range than requested`);
}
