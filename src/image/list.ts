import type { Containerd } from '../containerd/client.ts';
import type { ImageRecord } from '../containerd/images.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { hasLabel } from '../lib/label-filter.ts';
import { chainIdsOf } from './chain-id.ts';
import { isDanglingName } from './names.ts';
import { familiarName, familiarRecordName, familiarRepository, tryParseReference } from './reference.ts';
import { readStoredImage, type StoredImage } from './stored.ts';

/** One name of an image, as a list row. */
export interface ImageSummary {
  /** Of the record in containerd. */
  readonly name: string;
  /** Docker's image id; for an image with missing content, the digest of the name's target. */
  readonly id: string;
  /** Familiar, e.g. `busybox`; undefined for an untagged image. */
  readonly repository: string | undefined;
  readonly tag: string | undefined;
  /** Digest of the name's target: a manifest or an index. */
  readonly digest: string;
  /** RFC 3339, when the image was built; undefined if unknown. */
  readonly created: string | undefined;
  /** Bytes of its unpacked layers; of its stored layers if it is not unpacked. */
  readonly size: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** Conditions of `images --filter`: alternatives within one kind, except labels, which must all match. */
export interface ImageFilter {
  /** Globs on the familiar name, with or without tag. */
  readonly references?: readonly string[];
  readonly dangling?: boolean;
  /** `key` or `key=value`. */
  readonly labels?: readonly string[];
}

/** Number of images to read at once. */
const BATCH = 16;

/**
 * All names of all images, the youngest first. An image with missing content is listed too, so that it can be removed.
 *
 * @param request.snapshotter whose snapshots the sizes are of, e.g. `overlayfs`
 */
export async function listImages(
  { containerd }: { readonly containerd: Containerd },
  request: { readonly snapshotter: string; readonly filter?: ImageFilter; readonly signal?: AbortSignal },
): Promise<readonly ImageSummary[]> {
  const { snapshotter, filter = {}, signal } = request;
  const options = signal ? { signal } : {};
  const records = (await containerd.images.list([], options)).filter((record) => mayMatch(record, filter));
  const sizeOf = openSizes(containerd, snapshotter, options);
  const rows: ImageSummary[] = [];
  for (let at = 0; at < records.length; at += BATCH) {
    const batch = records.slice(at, at + BATCH);
    rows.push(...(await Promise.all(batch.map((record) => summarise(containerd, record, sizeOf, options)))));
  }
  return rows
    .filter(({ labels }) => (filter.labels ?? []).every((wanted) => hasLabel(labels, wanted)))
    .sort(youngestFirst);
}

type SizeOf = (image: StoredImage) => Promise<number>;

async function summarise(
  containerd: Containerd,
  record: ImageRecord,
  sizeOf: SizeOf,
  options: { readonly signal?: AbortSignal },
): Promise<ImageSummary> {
  const { name, target } = record;
  const reference = isDanglingName(name) ? undefined : tryParseReference(name);
  const repository = reference ? familiarRepository(reference) : isDanglingName(name) ? undefined : name;
  const base = { name, repository, tag: reference?.tag, digest: target.digest };
  try {
    const image = await readStoredImage(containerd, familiarRecordName(name), target, options);
    const { config, configDigest } = image;
    return { ...base, id: configDigest, created: config.created, size: await sizeOf(image), labels: config.labels };
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND', 'CORRUPT', 'INVALID')) throw error;
    return { ...base, id: target.digest, created: undefined, size: 0, labels: {} };
  }
}

/** The sizes of images that share layers: each layer is requested once. */
export function openSizes(
  containerd: Containerd,
  snapshotter: string,
  options: { readonly signal?: AbortSignal } = {},
): SizeOf {
  const known = new Map<string, Promise<number>>();
  const sizeOfLayer = (key: string) => {
    const size = known.get(key) ?? containerd.snapshots.usage({ snapshotter, key }, options);
    known.set(key, size);
    return size;
  };
  return async ({ config, manifest }) => {
    try {
      const sizes = await Promise.all(chainIdsOf(config.diffIds).map(sizeOfLayer));
      return sizes.reduce((sum, size) => sum + size, 0);
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error;
      return manifest.layers.reduce((sum, { size }) => sum + size, 0);
    }
  };
}

function mayMatch({ name }: ImageRecord, { references = [], dangling }: ImageFilter): boolean {
  if (dangling !== undefined && isDanglingName(name) !== dangling) return false;
  return references.length === 0 || references.some((pattern) => matchesReference(name, pattern));
}

/**
 * Docker's `reference=` filter (github.com/distribution/reference, FamiliarMatch): a glob on the name with its tag, or
 * without.
 */
export function matchesReference(name: string, pattern: string): boolean {
  const glob = globToRegExp(pattern);
  const reference = tryParseReference(name);
  if (!reference) return glob.test(name);
  const { tag, digest, ...repository } = reference;
  return glob.test(familiarName(reference)) || glob.test(familiarName(repository));
}

/** Go's path.Match. Throws INVALID for an invalid pattern. */
export function globToRegExp(pattern: string): RegExp {
  const source = pattern.replace(
    /\\(.)|\*|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|[\s\S]/g,
    (all, escaped: string | undefined, not: string | undefined, set: string | undefined) => {
      if (escaped !== undefined) return escapeRegExp(escaped);
      if (all === '*') return '[^/]*';
      if (all === '?') return '[^/]';
      if (set !== undefined) return `[${not}${set.replace(/\\(.)|[[^]/g, (c, e?: string) => `\\${e ?? c}`)}]`;
      if (all === '[' || all === '\\') throw badPattern(pattern);
      return escapeRegExp(all);
    },
  );
  try {
    return new RegExp(`^${source}$`);
  } catch {
    throw badPattern(pattern);
  }
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
const badPattern = (pattern: string) =>
  new HealthctlError('INVALID', 'syntax error in pattern', { hint: `the pattern is ${JSON.stringify(pattern)}` });

function youngestFirst(a: ImageSummary, b: ImageSummary): number {
  const [x, y] = [Date.parse(a.created ?? '') || 0, Date.parse(b.created ?? '') || 0];
  return y - x || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
