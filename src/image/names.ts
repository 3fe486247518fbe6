import type { Containerd } from '../containerd/client.ts';
import type { ImageRecord } from '../containerd/images.ts';
import { hasCode } from '../lib/errors.ts';
import { SOURCE_LABEL_PREFIX } from './ingest.ts';
import { familiarName, familiarRecordName, familiarRepository, tryParseReference } from './reference.ts';
import { readManifest } from './stored.ts';

/** The record name of an untagged image: no valid reference, so that it collides with nothing. */
export const danglingName = (digest: string) => `<none>@${digest}`;
export const isDanglingName = (name: string) => name.startsWith('<none>@');

/** All records of the image with this id, through any manifest or index. */
export async function recordsOfImage(
  containerd: Containerd,
  id: string,
  signal?: AbortSignal,
): Promise<readonly ImageRecord[]> {
  const options = signal ? { signal } : {};
  const records = await containerd.images.list([], options);
  const same = await Promise.all(
    records.map(async (record) => {
      try {
        const { manifest } = await readManifest(containerd, record.name, record.target, options);
        return manifest.config.digest === id;
      } catch (error) {
        if (hasCode(error, 'NOT_FOUND', 'CORRUPT', 'INVALID')) return false;
        throw error;
      }
    }),
  );
  return records.filter((_, index) => same[index]);
}

/** Names with a tag, in Docker's form and order: that of the whole names. */
export function repoTags(records: readonly ImageRecord[]): readonly string[] {
  const tagged = records.filter(({ name }) => !isDanglingName(name) && tryParseReference(name)?.digest === undefined);
  const names = tagged.map(({ name }) => name).sort();
  return names.map(familiarRecordName);
}

/**
 * `repository@digest` for each registry that the image came from, from containerd's and nerdctl's labels; none for an
 * image loaded from an archive.
 */
export async function repoDigests(
  containerd: Containerd,
  records: readonly ImageRecord[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const found = await Promise.all(
    records.map(async ({ name, target }) => {
      const reference = tryParseReference(name);
      if (!reference) return [];
      const { domain, path } = reference;
      const repository = familiarRepository(reference);
      if (reference.digest !== undefined) return [familiarName({ domain, path, digest: reference.digest })];
      const info = await containerd.content.find(target.digest, signal ? { signal } : {});
      const sources = info?.labels[`${SOURCE_LABEL_PREFIX}${domain}`]?.split(',') ?? [];
      return sources.includes(path) ? [`${repository}@${target.digest}`] : [];
    }),
  );
  return [...new Set(found.flat())].sort();
}
