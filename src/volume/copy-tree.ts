import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, lchown, link, lstat, lutimes, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { HealthctlError } from '../lib/errors.ts';
import { makeFifo } from '../system/fifo.ts';
import { copyXattrs } from '../system/xattr.ts';

export interface CopyRequest {
  /** The source, which must not change meanwhile. */
  readonly from: string;
  /** The target, which exists, is empty, and used only by us. */
  readonly to: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies the content of a directory: files, directories, symbolic links unchanged, hard links among them, FIFOs; with
 * owner, mode, times and extended attributes, but not those of the directory itself. Devices and sockets are skipped:
 * an image must not bring nodes to the host. Names are bytes: they need not be UTF-8.
 *
 * @returns the number of skipped entries
 * @throws ABORTED and file system errors, e.g. ENOSPC; a part may then exist
 */
export async function copyTree({ from, to, signal }: CopyRequest): Promise<number> {
  const seen = new Map<string, Buffer>();
  let leftOut = 0;
  const copyDirectory = async (fromDirectory: Buffer, toDirectory: Buffer): Promise<void> => {
    for (const name of await readdir(fromDirectory, { encoding: 'buffer' })) {
      if (signal?.aborted) throw new HealthctlError('ABORTED', 'the copy was cancelled');
      const [source, target] = [below(fromDirectory, name), below(toDirectory, name)];
      const stat = await lstat(source);
      if (stat.isDirectory()) {
        await mkdir(target, { mode: 0o700 });
        await copyDirectory(source, target);
      } else if (!(await copyEntry({ source, target, stat, seen }))) {
        leftOut += 1;
        continue;
      }
      await copyMetadata({ source, target, stat });
    }
  };
  await copyDirectory(Buffer.from(from), Buffer.from(to));
  return leftOut;
}

const SLASH = Buffer.from('/');
const below = (directory: Buffer, name: Buffer): Buffer => Buffer.concat([directory, SLASH, name]);

interface Entry {
  readonly source: Buffer;
  readonly target: Buffer;
  readonly stat: Stats;
}

/** @returns whether it was copied */
async function copyEntry({ source, target, stat, seen }: Entry & { seen: Map<string, Buffer> }): Promise<boolean> {
  const inode = `${stat.dev}:${stat.ino}`;
  const twin = stat.nlink > 1 ? seen.get(inode) : undefined;
  if (twin !== undefined) await link(twin, target);
  else if (stat.isFile()) await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  else if (stat.isSymbolicLink()) await symlink(await readlink(source, { encoding: 'buffer' }), target);
  else if (stat.isFIFO()) makeFifo(target);
  else return false;
  if (stat.nlink > 1) seen.set(inode, target);
  return true;
}

/** The owner first: changing it clears the set-user-id bit and capabilities. */
async function copyMetadata({ source, target, stat }: Entry): Promise<void> {
  await lchown(target, stat.uid, stat.gid);
  if (!stat.isSymbolicLink()) await chmod(target, stat.mode & 0o7777);
  copyXattrs(source, target, isCopied);
  await lutimes(target, stat.atimeMs / 1000, stat.mtimeMs / 1000);
}

/** overlayfs's internal attributes and the host's policy labels do not belong to the file. */
const isCopied = (name: string): boolean => !name.startsWith('trusted.') && name !== 'security.selinux';
