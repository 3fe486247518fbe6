import type { Containerd } from '../containerd/client.ts';
import type { ImageRecord } from '../containerd/images.ts';
import { HealthctlError } from '../lib/errors.ts';
import { type ImageToWrite, writeArchive } from './archive/write-archive.ts';
import { checkLayerCount } from './config.ts';
import { findRecord } from './find.ts';
import { formatPlatform, imagePlatform, type Platform, platformFit } from './platform.ts';
import { familiarRecordName, type Reference, tryParseReference } from './reference.ts';
import { type ReadOptions, readStoredImage } from './stored.ts';

export interface SaveRequest {
  /** Names, ids or prefixes of ids. A repository without a tag means all its tags. */
  readonly names: readonly string[];
  /** Default: this machine's, else any that exists. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
}

/** An archive that can be written. */
export interface ImageArchive {
  /** Docker's ids of its images. */
  readonly ids: readonly string[];
  /** Read once. Throws NOT_FOUND or CORRUPT if content is missing or damaged. */
  bytes(): AsyncGenerator<Uint8Array>;
}

/**
 * Finds the images of an archive; nothing is read of their layers before `bytes`. An image that was found by its id gets
 * no name in the archive, like with Docker.
 *
 * Throws like resolveImage.
 */
export async function saveImages(
  { containerd }: { readonly containerd: Containerd },
  { names, platform, signal }: SaveRequest,
): Promise<ImageArchive> {
  const options = signal ? { signal } : {};
  const images = new Map<string, ImageToWrite>();
  for (const name of names) {
    for (const { record, reference } of await findRecords(containerd, name, options)) {
      const found = await readImage(containerd, record, { ...options, ...(platform ? { platform } : {}) });
      const before = images.get(found.image.configDigest);
      const known = [...(before?.names ?? []), ...(reference ? [reference] : [])];
      images.set(found.image.configDigest, { ...(before ?? found), names: withoutDoubles(known) });
    }
  }
  return {
    ids: [...images.keys()],
    bytes: () => writeArchive(containerd, [...images.values()], signal),
  };
}

interface Selected {
  readonly record: ImageRecord;
  /** The name that the image gets; undefined for one found by its id or a digest. */
  readonly reference: Reference | undefined;
}

async function findRecords(
  containerd: Containerd,
  name: string,
  options: { readonly signal?: AbortSignal },
): Promise<readonly Selected[]> {
  const asked = tryParseReference(name);
  if (asked && asked.tag === undefined && asked.digest === undefined) {
    const tagged = (await containerd.images.list([], options)).flatMap((record): readonly Selected[] => {
      const reference = tryParseReference(record.name);
      const isSame = reference?.domain === asked.domain && reference.path === asked.path;
      return isSame && isTagged(reference) ? [{ record, reference }] : [];
    });
    if (tagged.length > 0) return tagged;
  }
  const record = await findRecord(containerd, name, options);
  const reference = tryParseReference(record.name);
  const isNamed = asked?.tag !== undefined && asked.digest === undefined && reference?.tag === asked.tag;
  return [{ record, reference: isNamed && reference.path === asked.path ? reference : undefined }];
}

const isTagged = (reference: Reference | undefined): reference is Reference =>
  reference?.tag !== undefined && reference.digest === undefined;

async function readImage(containerd: Containerd, record: ImageRecord, options: ReadOptions): Promise<ImageToWrite> {
  const familiarName = familiarRecordName(record.name);
  const image = await readStoredImage(containerd, familiarName, record.target, options);
  const { platform } = options;
  if (platform && platformFit(imagePlatform(image.config), platform) === 0) {
    throw new HealthctlError(
      'NOT_FOUND',
      `no suitable export target found for platform ${formatPlatform(platform)}: image ${familiarName} is for ${formatPlatform(imagePlatform(image.config))}`,
    );
  }
  checkLayerCount(familiarName, image.config, image.manifest.layers.length);
  return { familiarName, image, names: [] };
}

const withoutDoubles = (references: readonly Reference[]) => [
  ...new Map(
    references.map((reference) => [`${reference.domain}/${reference.path}:${reference.tag}`, reference]),
  ).values(),
];
