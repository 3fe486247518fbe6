import { type BigIntStats, closeSync, constants, fstatSync } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import { errnoOf, HealthctlError } from '../../lib/errors.ts';
import { tarEnd, tarPadding } from '../../lib/tar-header.ts';
import { O_PATH, openAt, pathBelow } from '../openat2.ts';
import { readXattr } from '../xattr.ts';
import { entryHeader, type TarEntry } from './entry-header.ts';

/** An object and all below it. */
export interface PackRequest {
  /** Descriptor of a directory; it is not closed. */
  readonly dir: number;
  /** One component in that directory; undefined: the directory itself. */
  readonly name: Buffer | undefined;
  /** Its name in the archive, without a slash at the end; of the root itself `/`. Empty: its entries alone. */
  readonly shownAs: Buffer;
  /**
   * Paths from the top whose content is left out: mount points. With them, other file systems below the top are left out
   * too.
   */
  readonly leaves?: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

const CHUNK_BYTES = 256 * 1024;
/** The kernel's limit of a path: a deeper tree cannot be read by anybody. */
const MAX_PATH_BYTES = 4096;
/** The only attribute that Docker's archives carry. */
const KEPT_XATTR = 'security.capability';
const SLASH = Buffer.from('/');
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ESRCH']);

interface Walk {
  readonly top: number;
  readonly device: bigint;
  readonly leaves: ReadonlySet<string> | undefined;
  readonly seen: Map<string, Buffer>;
  readonly signal: AbortSignal | undefined;
}

/**
 * A tar archive of a directory tree that others may change meanwhile, and may want to mislead us: each directory is
 * opened without following links, and only regular files are opened. What disappears meanwhile is left out; a file that
 * becomes shorter is filled up with zeros. Sockets are left out. Links, devices, owners, times in seconds and
 * capabilities are kept; hard links among the packed files too.
 *
 * @throws ABORTED, system errors
 */
export async function* packTree({ dir, name, shownAs, leaves, signal }: PackRequest): AsyncGenerator<Buffer> {
  const stats = fstatSync(dir, { bigint: true });
  const walk: Walk = { top: dir, device: stats.dev, leaves, seen: new Map(), signal };
  if (name === undefined) {
    yield* packDirectory(walk, { path: Buffer.alloc(0), shownAs, stats });
  } else {
    yield* packNode(walk, { dir, name, path: name, shownAs });
  }
  yield tarEnd();
}

interface Node {
  /** Descriptor of its directory. */
  readonly dir: number;
  readonly name: Buffer;
  /** From the top. */
  readonly path: Buffer;
  readonly shownAs: Buffer;
}

async function* packNode(walk: Walk, node: Node): AsyncGenerator<Buffer> {
  if (walk.signal?.aborted) throw new HealthctlError('ABORTED', 'the copy was cancelled');
  const at = pathBelow(node.dir, node.name);
  const stats = await unlessGone(lstat(at, { bigint: true }));
  if (!stats) return;
  if (isLeaf(walk, node, stats)) {
    const isDirectory = stats.isDirectory();
    const name = isDirectory ? Buffer.concat([node.shownAs, SLASH]) : node.shownAs;
    yield entryHeader(entryOf(stats, { name, kind: isDirectory ? 'directory' : 'file' }));
    return;
  }
  if (stats.isDirectory()) return yield* packDirectory(walk, { ...node, stats });
  const inode = `${stats.dev}:${stats.ino}`;
  const twin = stats.nlink > 1n ? walk.seen.get(inode) : undefined;
  if (twin) {
    yield entryHeader(entryOf(stats, { name: node.shownAs, kind: 'link', target: twin }));
    return;
  }
  if (stats.isFile()) yield* packFile(walk, node);
  else {
    const special = await specialEntry(at, stats, node.shownAs);
    if (!special) return;
    yield entryHeader(special);
  }
  if (stats.nlink > 1n) walk.seen.set(inode, node.shownAs);
}

function isLeaf({ leaves, device }: Walk, { path }: Node, stats: BigIntStats): boolean {
  if (!leaves || stats.isSymbolicLink()) return false;
  return leaves.has(path.toString()) || (stats.isDirectory() && stats.dev !== device);
}

async function* packDirectory(
  walk: Walk,
  { path, shownAs, stats }: Pick<Node, 'path' | 'shownAs'> & { readonly stats: BigIntStats },
): AsyncGenerator<Buffer> {
  if (path.length > MAX_PATH_BYTES) throw new HealthctlError('INVALID', `${path}: the path is too long`);
  const isBare = shownAs.length === 0 || shownAs.at(-1) === SLASH[0];
  const prefix = isBare ? shownAs : Buffer.concat([shownAs, SLASH]);
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const opened = path.length === 0 ? '.' : path;
  const dir = await unlessGone(async () => openAt({ dir: walk.top, path: opened, resolution: 'no-links', flags }));
  if (dir === undefined) return;
  try {
    if (prefix.length > 0) yield entryHeader(entryOf(stats, { name: prefix, kind: 'directory' }));
    const names = await readdir(`/proc/self/fd/${dir}`, { encoding: 'buffer' });
    for (const name of names.sort(Buffer.compare)) {
      const below = path.length === 0 ? name : Buffer.concat([path, SLASH, name]);
      yield* packNode(walk, { dir, name, path: below, shownAs: Buffer.concat([prefix, name]) });
    }
  } finally {
    closeSync(dir);
  }
}

async function* packFile({ signal }: Walk, { dir, name, shownAs }: Node): AsyncGenerator<Buffer> {
  const file = await openRegular(dir, name);
  if (!file) return;
  try {
    const stats = await file.stat({ bigint: true });
    const capability = readXattr(pathBelow(dir, name), KEPT_XATTR);
    const xattrs = capability ? { xattrs: new Map([[KEPT_XATTR, capability]]) } : {};
    const size = Number(stats.size);
    yield entryHeader({ ...entryOf(stats, { name: shownAs, kind: 'file' }), size, ...xattrs });
    for (let left = size; left > 0; ) {
      if (signal?.aborted) throw new HealthctlError('ABORTED', 'the copy was cancelled');
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) chunk.fill(0);
      const part = bytesRead === 0 ? chunk : chunk.subarray(0, bytesRead);
      left -= part.length;
      yield part;
    }
    yield tarPadding(size);
  } finally {
    await file.close();
  }
}

/** Checks before it opens: opening a device has effects, and a FIFO would block. Undefined if it is no file any more. */
async function openRegular(dir: number, name: Buffer): Promise<FileHandle | undefined> {
  const flags = O_PATH | constants.O_NOFOLLOW;
  const found = await unlessGone(async () => openAt({ dir, path: name, resolution: 'no-links', flags }));
  if (found === undefined) return undefined;
  try {
    if (!fstatSync(found).isFile()) return undefined;
    return await open(`/proc/self/fd/${found}`, constants.O_RDONLY | constants.O_NONBLOCK);
  } finally {
    closeSync(found);
  }
}

/** Undefined for a socket, which no archive can hold. */
async function specialEntry(at: Buffer, stats: BigIntStats, name: Buffer): Promise<TarEntry | undefined> {
  if (stats.isSymbolicLink()) {
    const target = await unlessGone(readlink(at, { encoding: 'buffer' }));
    return target && entryOf(stats, { name, kind: 'symlink', target });
  }
  if (stats.isFIFO()) return entryOf(stats, { name, kind: 'fifo' });
  const kind = stats.isCharacterDevice() ? 'character-device' : stats.isBlockDevice() ? 'block-device' : undefined;
  return kind && { ...entryOf(stats, { name, kind }), device: deviceOf(stats.rdev) };
}

function entryOf(
  { mode, uid, gid, mtimeNs }: BigIntStats,
  given: Pick<TarEntry, 'name' | 'kind'> & Partial<Pick<TarEntry, 'target'>>,
): TarEntry {
  const ids = { mode: Number(mode & 0o7777n), uid: Number(uid), gid: Number(gid) };
  return { ...given, ...ids, size: 0, mtimeSeconds: Number(mtimeNs / 1_000_000_000n) };
}

/** gnu_dev_major(3), gnu_dev_minor(3). */
function deviceOf(rdev: bigint): { readonly major: number; readonly minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

/** Undefined for what another process has removed or replaced. */
async function unlessGone<T>(work: Promise<T> | (() => Promise<T>)): Promise<T | undefined> {
  try {
    return await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (GONE.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
