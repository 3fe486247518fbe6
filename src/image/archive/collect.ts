import type { Readable } from 'node:stream';
import type { Containerd } from '../../containerd/client.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { ingestBlob } from '../ingest.ts';
import { randomSuffix } from '../lease.ts';
import { MAX_MANIFEST_BYTES } from '../manifest.ts';
import type { OnProgress } from '../progress.ts';
import { type Member, readMembers } from './members.ts';

/** A file of the archive, now a blob of the content store. */
export interface Stored {
  readonly digest: string;
  readonly size: number;
  readonly packing: 'none' | 'gzip' | 'zstd';
}

/** An archive after one complete read. */
export interface Collected {
  /** Names the archive in errors. */
  readonly what: string;
  /** `manifest.json` of a docker-archive. */
  readonly dockerManifest: Buffer | undefined;
  /** `index.json` of an OCI layout. */
  readonly ociIndex: Buffer | undefined;
  /** By name, through links. Throws CORRUPT if it is missing. */
  file(name: string): Stored;
  /** A blob of the OCI layout. */
  blob(digest: string): Stored | undefined;
}

/** An archive of a hundred images of a hundred layers has fewer. */
const MAX_FILES = 30_000;
const MAX_LINKS = 16;
/** Files of old docker-archives that no reader needs. */
const UNNEEDED = /^(?:repositories|oci-layout|[^/]+\/(?:VERSION|json))$/;
const BLOB_PATH = /^blobs\/sha256\/([0-9a-f]{64})$/;

/**
 * Reads an archive once, in order, and streams possible configs and layers into the content store: which they are is
 * known only after the last member. `containerd` must hold a lease; blobs that are not needed are collected with it.
 */
export async function collectArchive(
  containerd: Containerd,
  archive: { readonly what: string; readonly source: Readable; readonly onProgress?: OnProgress },
  signal?: AbortSignal,
): Promise<Collected> {
  const { what, source, onProgress } = archive;
  const files = new Map<string, Stored>();
  const links = new Map<string, string>();
  const documents = new Map<string, Buffer>();
  for await (const member of readMembers(what, source, signal)) {
    if (files.size + links.size > MAX_FILES) throw corrupt(what, `has more than ${MAX_FILES} files`);
    if (member.kind === 'link') links.set(member.name, member.target);
    else if (member.name === 'manifest.json' || member.name === 'index.json') {
      documents.set(member.name, await readDocument(what, member));
    } else if (!UNNEEDED.test(member.name)) {
      files.set(member.name, await storeMember(containerd, { what, member, onProgress }, signal));
    }
  }
  const find = (name: string): Stored | undefined => {
    let at = name;
    for (let hops = 0; hops <= MAX_LINKS; hops++) {
      const file = files.get(at);
      if (file) return file;
      const target = links.get(at);
      if (target === undefined) return undefined;
      at = target;
    }
    throw corrupt(what, `has links in a circle at ${name}`);
  };
  return {
    what,
    dockerManifest: documents.get('manifest.json'),
    ociIndex: documents.get('index.json'),
    file: (name) => {
      const file = find(name.replace(/^(?:\.?\/)+/, ''));
      if (!file) throw corrupt(what, `lacks its file ${name}`);
      return file;
    },
    blob: (digest) => find(`blobs/${digest.replace(':', '/')}`),
  };
}

async function readDocument(what: string, member: Member): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  if (member.size > MAX_MANIFEST_BYTES) throw corrupt(what, `has a ${member.name} of ${member.size} bytes`);
  for await (const chunk of member.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function storeMember(
  containerd: Containerd,
  file: { readonly what: string; readonly member: Member; readonly onProgress: OnProgress | undefined },
  signal?: AbortSignal,
): Promise<Stored> {
  const { what, member, onProgress } = file;
  const hex = BLOB_PATH.exec(member.name)?.[1];
  const head: Uint8Array[] = [];
  const ref = (hex ?? member.name).slice(0, 12);
  const source = () => watch(member.body, head);
  const stored = await ingestBlob(
    containerd,
    {
      ref: `healthctl-load-${randomSuffix()}`,
      size: member.size,
      // Without the expected digest: containerd would not ask for bytes that it has, and we would not see their
      // content.
      source,
      onBytes: (current) => onProgress?.({ ref, status: 'Loading layer', current, total: member.size }),
    },
    signal,
  );
  if (hex !== undefined && stored.digest !== `sha256:${hex}`) {
    throw corrupt(what, `holds a file ${member.name} whose digest is ${stored.digest}`);
  }
  return { digest: stored.digest, size: stored.size, packing: packingOf(Buffer.concat(head)) };
}

/** Passes data on, and keeps the first bytes. */
async function* watch(body: AsyncIterable<Uint8Array>, head: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    if (head.length < 4) head.push(chunk.slice(0, 4));
    yield chunk;
  }
}

function packingOf(head: Buffer): Stored['packing'] {
  if (head.length >= 2 && head.readUInt16BE(0) === 0x1f8b) return 'gzip';
  return head.length >= 4 && head.readUInt32BE(0) === 0x28b52ffd ? 'zstd' : 'none';
}

const corrupt = (what: string, why: string) => new HealthctlError('CORRUPT', `${what} ${why}`);
