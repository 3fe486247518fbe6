import { closeSync, constants, lstatSync } from 'node:fs';
import { chmod, lchown, link, lutimes, mkdir, open, symlink } from 'node:fs/promises';
import { type Extract, extract } from 'tar-stream';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { makeFifo, makeNode } from '../fifo.ts';
import { O_PATH, openAt, openNode, pathBelow } from '../openat2.ts';
import { setXattr } from '../xattr.ts';
import { decompressed } from './decompress.ts';
import { type Extracted, parseEntry } from './parse-entry.ts';
import { removeTree } from './remove-tree.ts';

export interface ExtractRequest {
  /** Descriptor of the root in which all paths and links stay; it is not closed. */
  readonly root: number;
  /** The path of an existing directory in that root. */
  readonly at: string;
  /** The name of that directory in messages; default `at`. */
  readonly called?: string;
  /** Refuse to replace a directory by something else, or the other way round. */
  readonly keepsKinds: boolean;
  /** The owner of all that is made: that of the archive, this one, or this process. */
  readonly owner: 'archive' | 'process' | { readonly uid: number; readonly gid: number };
  readonly signal?: AbortSignal | undefined;
}

/** Of directories, set when all else is done: their times. */
interface LaterTime {
  readonly path: string;
  readonly mtimeSeconds: number;
}

const IMPLIED_MODE = 0o755;

/**
 * Extracts a tar archive, compressed or not, into a directory tree that others may change meanwhile, and may want to
 * mislead us: links in the tree are followed inside the root only, those in place of an entry never. Existing files are
 * replaced, existing directories kept and given the entry's mode and owner. An empty stream is an empty archive.
 *
 * What is extracted before a failure stays, as in Docker.
 *
 * @throws CORRUPT for a damaged archive, or a name outside of it; CONFLICT for kinds that must not change; INVALID for an
 *   unknown packing; ABORTED; system errors
 */
export async function extractTree(source: AsyncIterable<Uint8Array>, request: ExtractRequest): Promise<void> {
  // The types of tar-stream lack its options.
  const tar = (extract as (options: { readonly filenameEncoding: string }) => Extract)({ filenameEncoding: 'latin1' });
  const later: LaterTime[] = [];
  const content = await decompressed(source, request.signal);
  content.on('error', (error) => tar.destroy(error));
  content.pipe(tar);
  try {
    for await (const entry of tar) {
      const parsed = parseEntry(entry.header, request);
      if (parsed) await extractEntry(request, parsed, entry as AsyncIterable<Uint8Array>);
      if (parsed?.kind === 'directory') later.push({ path: parsed.path, mtimeSeconds: parsed.mtimeSeconds });
      entry.resume();
    }
    for (const { path, mtimeSeconds } of later.reverse()) await setTime(request, path, mtimeSeconds);
  } catch (error) {
    throw asFailure(error);
  } finally {
    content.destroy();
  }
}

/** Errors of tar-stream and zlib have no code of the system. */
function asFailure(error: unknown): unknown {
  if (error instanceof HealthctlError || errnoOf(error) !== undefined) return error;
  return new HealthctlError('CORRUPT', `the tar archive is damaged: ${messageOf(error)}`, { cause: error });
}

async function extractEntry(request: ExtractRequest, entry: Extracted, body: AsyncIterable<Uint8Array>): Promise<void> {
  const dir = await openParent(request, entry.directory);
  try {
    const path = pathBelow(dir, entry.name);
    const isThere = await makeRoom(request, { dir, path, entry });
    if (entry.kind === 'file') return await writeContent(request, { path, entry, body });
    if (!isThere) await makeObject(request, { path, entry });
    if (entry.kind !== 'link') await setMetadata(request, { dir, path, entry });
  } finally {
    closeSync(dir);
  }
}

/** The directory of an entry, made if it is missing. */
async function openParent({ root, at, owner }: ExtractRequest, directory: readonly string[]): Promise<number> {
  const flags = O_PATH | constants.O_DIRECTORY;
  const openPath = (length: number): number =>
    openAt({ dir: root, path: bytes([at, ...directory.slice(0, length)].join('/')), resolution: 'in-root', flags });
  try {
    return openPath(directory.length);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || directory.length === 0) throw error;
  }
  const parent = await openParent({ root, at, owner, keepsKinds: false }, directory.slice(0, -1));
  try {
    const path = pathBelow(parent, bytes(directory.at(-1) ?? ''));
    await mkdir(path, { mode: IMPLIED_MODE });
    if (typeof owner === 'object') await lchown(path, owner.uid, owner.gid);
  } finally {
    closeSync(parent);
  }
  return openPath(directory.length);
}

/** Paths are bytes in latin1. */
const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');

interface Place {
  /** Descriptor of its directory. */
  readonly dir: number;
  readonly path: Buffer;
  readonly entry: Extracted;
}

/** Removes what is in the way. @returns whether the directory of the entry is there already */
async function makeRoom(request: ExtractRequest, { dir, path, entry }: Place): Promise<boolean> {
  const { at, called = at, keepsKinds } = request;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return false;
  const isDirectory = entry.kind === 'directory';
  const refuse = (what: string, by: string) =>
    new HealthctlError('CONFLICT', `cannot overwrite ${what} "${entry.shownAs}" with ${by} "${called}"`);
  if (keepsKinds && found.isDirectory() && !isDirectory) throw refuse('directory', 'non-directory');
  if (keepsKinds && !found.isDirectory() && isDirectory) throw refuse('non-directory', 'directory');
  if (found.isDirectory() && isDirectory) return true;
  await removeTree(dir, entry.name);
  return false;
}

async function makeObject(request: ExtractRequest, { path, entry }: Omit<Place, 'dir'>): Promise<void> {
  switch (entry.kind) {
    case 'file':
      return; // written by writeContent
    case 'directory':
      await mkdir(path, { mode: 0o700 });
      return;
    case 'symlink':
      return symlink(entry.target, path);
    case 'fifo':
      return makeFifo(path);
    case 'link':
      return makeLink(request, path, entry);
    case 'character-device':
    case 'block-device': {
      const type = entry.kind === 'character-device' ? constants.S_IFCHR : constants.S_IFBLK;
      return makeNode(path, type | entry.mode, entry.device);
    }
  }
}

/** The target is a name in the archive. */
async function makeLink(
  request: ExtractRequest,
  path: Buffer,
  { target, shownAs }: Extracted & { readonly target: Buffer },
): Promise<void> {
  const { root, at } = request;
  const named = parseEntry({ name: target.toString('latin1') }, request);
  if (!named) throw new HealthctlError('INVALID', `the link "${shownAs}" leads to a directory`);
  const flags = O_PATH | constants.O_DIRECTORY;
  const dir = openAt({ dir: root, path: bytes([at, ...named.directory].join('/')), resolution: 'in-root', flags });
  try {
    await link(pathBelow(dir, named.name), path);
  } finally {
    closeSync(dir);
  }
}

async function writeContent(
  request: ExtractRequest,
  { path, entry, body }: { readonly path: Buffer; readonly entry: Extracted; readonly body: AsyncIterable<Uint8Array> },
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    for await (const chunk of body) {
      for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
    }
    const owner = ownerOf(request, entry);
    // The owner first: changing it clears the set-user-id bit and capabilities.
    if (owner) await file.chown(owner.uid, owner.gid);
    await file.chmod(entry.mode);
    for (const [name, value] of entry.xattrs) setXattr(path, name, value);
    await file.utimes(entry.mtimeSeconds, entry.mtimeSeconds);
  } finally {
    await file.close();
  }
}

async function setMetadata(request: ExtractRequest, { dir, path, entry }: Place): Promise<void> {
  const owner = ownerOf(request, entry);
  if (owner) await lchown(path, owner.uid, owner.gid);
  if (entry.kind !== 'symlink') {
    const found = openNode(dir, entry.name);
    try {
      if (!lstatSync(path).isSymbolicLink()) await chmod(`/proc/self/fd/${found}`, entry.mode);
    } finally {
      closeSync(found);
    }
  }
  await lutimes(path, entry.mtimeSeconds, entry.mtimeSeconds);
}

function ownerOf({ owner }: ExtractRequest, { uid, gid }: Extracted) {
  return owner === 'archive' ? { uid, gid } : owner === 'process' ? undefined : owner;
}

async function setTime({ root }: ExtractRequest, path: string, mtimeSeconds: number): Promise<void> {
  const found = openAt({
    ...{ dir: root, path: bytes(path), resolution: 'in-root' },
    flags: O_PATH | constants.O_DIRECTORY,
  });
  try {
    await lutimes(`/proc/self/fd/${found}/.`, mtimeSeconds, mtimeSeconds);
  } finally {
    closeSync(found);
  }
}
