import type { Containerd } from '../containerd/client.ts';
import type { ImageRecord } from '../containerd/images.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { withImageLease } from './lease.ts';
import type { OnProgress } from './progress.ts';
import {
  familiarName,
  familiarRecordName,
  fullName,
  parseReference,
  type Reference,
  tryParseReference,
  withDefaultTag,
} from './reference.ts';
import { type ReadOptions, readManifest, readStoredImage, type StoredImage } from './stored.ts';
import { unpackImage } from './unpack.ts';

/** An existing image, found by a name or an id. */
export interface ResolvedImage extends StoredImage {
  /** Name of its record, e.g. `docker.io/library/busybox:latest`. */
  readonly name: string;
  readonly familiarName: string;
  /** The record's target: a manifest or an index. */
  readonly target: ImageRecord['target'];
}

const ID = /^(?:sha256:)?([0-9a-f]{1,64})$/;
const FULL_ID = /^(?:sha256:)?[0-9a-f]{64}$/;

/**
 * Finds an image like Docker: by its name (familiar or full, without a tag `latest`), by the exact name of its record,
 * by `name@digest`, else by its id or a prefix of it. The id is the digest of the config; those of nerdctl and ctr, of
 * the manifest or index, are accepted too.
 *
 * Throws NOT_FOUND (`No such image: x`), AMBIGUOUS for a prefix of several images, INVALID for a text that is neither
 * name nor id.
 */
export async function resolveImage(
  world: { readonly containerd: Containerd },
  nameOrId: string,
  options: ReadOptions = {},
): Promise<ResolvedImage> {
  return resolvedFrom(world.containerd, await findRecord(world.containerd, nameOrId, options), options);
}

async function resolvedFrom(containerd: Containerd, record: ImageRecord, options: ReadOptions): Promise<ResolvedImage> {
  const name = familiarRecordName(record.name);
  const stored = await readStoredImage(containerd, name, record.target, options);
  return { ...stored, name: record.name, familiarName: name, target: record.target };
}

/** Like resolveImage; undefined if it does not exist. */
export async function findImage(
  world: { readonly containerd: Containerd },
  nameOrId: string,
  options: ReadOptions = {},
): Promise<ResolvedImage | undefined> {
  const found = await tryFindRecord(world.containerd, nameOrId, options);
  return 'noSuchImage' in found ? undefined : resolvedFrom(world.containerd, found, options);
}

/** Unpacks an image that another tool pulled without unpacking it, or for another snapshotter. @returns the chain id */
export async function ensureUnpacked(
  world: { readonly containerd: Containerd; readonly clock: Clock },
  image: ResolvedImage,
  options: { readonly snapshotter: string; readonly onProgress?: OnProgress; readonly signal?: AbortSignal },
): Promise<string> {
  const { snapshotter, signal } = options;
  const { chainId, manifest, config, familiarName: name } = image;
  if (chainId === '') return '';
  if (await world.containerd.snapshots.exists({ snapshotter, key: chainId }, signal ? { signal } : {})) return chainId;
  return withImageLease(world, (leased) => unpackImage(leased, { image: name, manifest, config, ...options }));
}

/** The record of a name or id. Throws like resolveImage. */
export async function findRecord(
  containerd: Containerd,
  nameOrId: string,
  options: ReadOptions = {},
): Promise<ImageRecord> {
  const found = await tryFindRecord(containerd, nameOrId, options);
  if (!('noSuchImage' in found)) return found;
  throw new HealthctlError('NOT_FOUND', `No such image: ${found.noSuchImage}`, {
    hint: '"healthctl images" lists the images; "healthctl pull" and "healthctl load" add others',
  });
}

/** @returns the record, or the name as Docker shows it when there is none */
async function tryFindRecord(
  containerd: Containerd,
  nameOrId: string,
  options: ReadOptions,
): Promise<ImageRecord | { readonly noSuchImage: string }> {
  const call = options.signal ? { signal: options.signal } : {};
  const reference = FULL_ID.test(nameOrId) ? undefined : tryParseReference(nameOrId);
  const named = reference && withDefaultTag(reference);
  const byName =
    (named && (await containerd.images.find(fullName(named), call))) ??
    (nameOrId === '' ? undefined : await containerd.images.find(nameOrId, call)) ??
    (named?.digest === undefined ? undefined : await findByDigest(containerd, named, call));
  if (byName) return byName;
  const prefix = ID.exec(nameOrId)?.[1];
  const byId = prefix === undefined ? undefined : await findById(containerd, prefix, options);
  if (byId) return byId;
  if (!named && prefix === undefined) parseReference(nameOrId); // throws, with the reason
  return { noSuchImage: named ? familiarName(named) : nameOrId };
}

/** `name@digest` matches any record of that repository with that target. */
async function findByDigest(
  containerd: Containerd,
  wanted: Reference,
  call: { readonly signal?: AbortSignal },
): Promise<ImageRecord | undefined> {
  const records = await containerd.images.list([`target.digest==${wanted.digest}`], call);
  return records.find(({ name }) => {
    const reference = tryParseReference(name);
    return reference?.domain === wanted.domain && reference.path === wanted.path;
  });
}

async function findById(
  containerd: Containerd,
  prefix: string,
  options: ReadOptions,
): Promise<ImageRecord | undefined> {
  const call = options.signal ? { signal: options.signal } : {};
  const records = await containerd.images.list([], call);
  const matches = await Promise.all(
    records.map(async (record) => {
      const ids = await idsOf(containerd, record, options);
      return ids.some((id) => id.slice('sha256:'.length).startsWith(prefix)) ? [{ record, id: ids[0] }] : [];
    }),
  );
  const found = matches.flat();
  if (new Set(found.map(({ id }) => id)).size > 1) {
    throw new HealthctlError('AMBIGUOUS', `multiple images found with provided prefix: ${prefix}`);
  }
  // Of several names the last one: those without a tag come first.
  return found.at(-1)?.record;
}

/** The image's id first, then other tools' ids. */
async function idsOf(containerd: Containerd, record: ImageRecord, options: ReadOptions): Promise<readonly string[]> {
  try {
    const { manifest, manifestDigest } = await readManifest(containerd, record.name, record.target, options);
    return [manifest.config.digest, manifestDigest, record.target.digest];
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND', 'CORRUPT', 'INVALID')) return [record.target.digest];
    throw error;
  }
}
