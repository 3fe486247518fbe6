import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, HealthctlError } from '../lib/errors.ts';

/**
 * Bytes of everything below a directory except the directories themselves. A file with several names counts once, as in
 * Docker (moby: daemon/internal/directory). Files removed meanwhile do not count. Throws ABORTED.
 */
export async function measureTree(directory: string, signal?: AbortSignal): Promise<number> {
  const counted = new Set<string>();
  const measure = async (path: string): Promise<number> => {
    if (signal?.aborted) throw new HealthctlError('ABORTED', `measuring ${directory} was cancelled`);
    let bytes = 0;
    for (const entry of await readdir(path, { withFileTypes: true }).catch(noneIfGone)) {
      const child = join(path, entry.name);
      bytes += entry.isDirectory() ? await measure(child) : await sizeOfFile(child, counted);
    }
    return bytes;
  };
  return measure(directory);
}

async function sizeOfFile(path: string, counted: Set<string>): Promise<number> {
  const [stat] = await lstat(path)
    .then((found) => [found])
    .catch(noneIfGone);
  if (!stat) return 0;
  if (stat.nlink > 1) {
    const inode = `${stat.dev}:${stat.ino}`;
    if (counted.has(inode)) return 0;
    counted.add(inode);
  }
  return stat.size;
}

function noneIfGone(error: unknown): never[] {
  if (errnoOf(error) === 'ENOENT') return [];
  throw error;
}
