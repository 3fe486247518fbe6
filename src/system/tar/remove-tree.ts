import { closeSync, constants } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { errnoOf } from '../../lib/errors.ts';
import { openAt, pathBelow } from '../openat2.ts';

/**
 * Removes an object with all below it, in a directory that others may change meanwhile: no link is followed. It is no
 * error if it does not exist.
 *
 * @param dir descriptor of its directory
 * @param name one component
 */
export async function removeTree(dir: number, name: Buffer): Promise<void> {
  try {
    await unlink(pathBelow(dir, name));
    return;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return;
    if (code !== 'EISDIR' && code !== 'EPERM') throw error;
  }
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const opened = openAt({ dir, path: name, resolution: 'no-links', flags });
  try {
    for (const child of await readdir(`/proc/self/fd/${opened}`, { encoding: 'buffer' }))
      await removeTree(opened, child);
  } finally {
    closeSync(opened);
  }
  await rmdir(pathBelow(dir, name));
}
