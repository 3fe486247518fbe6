import type { Containerd } from '../containerd/client.ts';
import type { ImageRecord } from '../containerd/images.ts';
import { hasCode } from '../lib/errors.ts';
import { SOURCE_LABEL_PREFIX } from './ingest.ts';
import { familiarName, familiarRecordName, familiarRepository, tryParseReference } from './reference.ts';
import { readManifest } from './stored.ts';

/** The name of a record for an image that has none: no reference, so that it clashes with nothing. */
export const danglingName = (digest: string) => `<none>@${digest}`;
export const isDanglingName = (name: string) => name.startsWith('<none>@');

/** All records that mean the image with this id, whatever manifest or index they go through. */
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

/** Names with a tag, as Docker shows them. */
export function repoTags(records: readonly ImageRecord[]): readonly string[] {
  const tagged = records.filter(({ name }) => !isDanglingName(name) && tryParseReference(name)?.digest === undefined);
  return tagged.map(({ name }) => familiarRecordName(name)).sort();
}

/**
 * `repository@digest` for each registry that the image came from, as containerd's and nerdctl's labels say; none for one that was
 * loaded from an archive.
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
