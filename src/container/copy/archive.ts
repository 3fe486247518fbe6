import { accessSync, closeSync, constants, fstatSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { isText } from '../../lib/shape.ts';
import { resolveUser } from '../../oci/user.ts';
import { specOf } from '../../record/details.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import type { ContainerView } from '../../record/view.ts';
import { noSpaceError } from '../../system/atomic-write.ts';
import { O_PATH, openAt } from '../../system/openat2.ts';
import { openDirectory } from '../../system/root-view.ts';
import { readFileIn } from '../../system/rootfs.ts';
import { type ExtractRequest, extractTree } from '../../system/tar/extract.ts';
import { packTree } from '../../system/tar/pack.ts';
import type { ContainerContext } from '../context.ts';
import { tellAction } from '../tell-action.ts';
import { openContainerRoot, withCopyLock } from './container-root.ts';
import { baseOf, isDirectoryMode, type PathStat, statPath } from './path-stat.ts';

type CopyContext = Pick<ContainerContext, 'containerd' | 'clock' | 'dirs' | 'log'>;

/** A path in a container. */
export interface ContainerPath {
  readonly view: ContainerView;
  readonly path: string;
  /** The container as the user named it, for messages. */
  readonly called: string;
  readonly signal?: AbortSignal | undefined;
}

const MAX_PASSWD_BYTES = 16 << 20;

/**
 * Describes a path in a container, running or not. A link at its end is not followed, unless a slash follows.
 *
 * @throws NOT_FOUND `Could not find the file x in container y`; RUNTIME if a component is no directory
 */
export async function statContainerPath(ctx: CopyContext, request: ContainerPath): Promise<PathStat> {
  const root = await openContainerRoot(ctx, request.view, { isWritable: false, signal: request.signal });
  try {
    return statPath(root, request.path);
  } catch (error) {
    throw asFailure(error, request);
  } finally {
    closeSync(root);
  }
}

/** A path with all below it. */
export interface PathArchive {
  readonly stat: PathStat;
  /** A tar archive. Read it to its end, or call its `return`. */
  readonly content: AsyncIterableIterator<Buffer>;
}

/**
 * A path in a container as a tar archive, in which it has its own name (`.` if the path ends so). Never leaves the
 * container's root: see packTree.
 *
 * @param request.shownAs another name in the archive
 * @throws like statContainerPath
 */
export async function readContainerPath(
  ctx: CopyContext,
  request: ContainerPath & { readonly shownAs?: string },
): Promise<PathArchive> {
  const root = await openContainerRoot(ctx, request.view, { isWritable: false, signal: request.signal });
  try {
    const path = absolute(request.path);
    const stat = statPath(root, path);
    const isDirectory = isDirectoryMode(stat.mode);
    const dir = openDirectory(root, isDirectory ? path : posix.dirname(path));
    const base = Buffer.from(baseOf(path));
    const shownAs = request.shownAs === undefined ? base : Buffer.from(request.shownAs);
    const content = packAndClose(dir, { name: isDirectory ? undefined : base, shownAs, signal: request.signal });
    const archive = { stat, content: await begun(content) };
    await tellAction(ctx, { id: request.view.record.id, action: 'archive-path' });
    return archive;
  } catch (error) {
    throw asFailure(error, request);
  } finally {
    closeSync(root);
  }
}

async function* packAndClose(dir: number, node: Omit<Parameters<typeof packTree>[0], 'dir'>): AsyncGenerator<Buffer> {
  try {
    yield* packTree({ dir, ...node });
  } finally {
    closeSync(dir);
  }
}

/** Reads the first chunk: a generator that was never begun does not clean up. */
export async function begun(content: AsyncGenerator<Buffer>): Promise<AsyncIterableIterator<Buffer>> {
  let first: IteratorResult<Buffer> | undefined = await content.next();
  const iterator: AsyncIterableIterator<Buffer> = {
    next: async () => {
      const result = first ?? (await content.next());
      first = undefined;
      return result;
    },
    return: async () => {
      await content.return(undefined);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

export interface WriteOptions {
  /** Refuse to replace a directory by something else, or the other way round. */
  readonly keepsKinds: boolean;
  /** All gets the user and group with which the container runs, where its image or request names them. */
  readonly copiesOwner: boolean;
}

/**
 * Extracts a tar archive, compressed or not, into an existing directory of a container, running or not. Never leaves the
 * container's root: see extractTree.
 *
 * @throws like statContainerPath; INVALID for a path that is no directory or cannot be written; CONFLICT for
 *   kinds that must not change; CORRUPT; EXHAUSTED
 */
export async function writeContainerPath(
  ctx: CopyContext,
  request: ContainerPath,
  source: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<void> {
  const { view, signal } = request;
  await withCopyLock(ctx, { id: view.record.id, signal }, async () => {
    const root = await openContainerRoot(ctx, view, { isWritable: true, signal });
    try {
      const at = absolute(request.path);
      checkWritable(root, at, view);
      const owner = options.copiesOwner ? ownerOf(root, view) : 'archive';
      await extractTree(source, { root, at, keepsKinds: options.keepsKinds, owner, signal });
    } catch (error) {
      throw asFailure(error, request);
    } finally {
      closeSync(root);
    }
  });
  await tellAction(ctx, { id: view.record.id, action: 'extract-to-dir' });
}

/** Go's filepath.Join of `/` and the path, with Docker's rule that a slash or dot at the end counts. */
function absolute(path: string): string {
  const clean = posix.join('/', path).replace(/(?<=.)\/$/, '');
  const isDot = baseOf(path) === '.' && path !== '';
  if (isDot && !path.endsWith('/')) return clean === '/' ? '/.' : `${clean}/.`;
  if (isDot) return clean === '/' ? '/./' : `${clean}/./`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

function checkWritable(root: number, at: string, { record }: ContainerView): void {
  const dir = openAt({ dir: root, path: at, resolution: 'in-root', flags: O_PATH });
  try {
    const stats = fstatSync(dir);
    if (!stats.isDirectory()) throw new HealthctlError('INVALID', 'extraction point is not a directory');
    const isOwn = stats.dev === fstatSync(root).dev;
    const isReadOnly = (isOwn && specOf(record)?.root?.readonly === true) || !isWritable(dir);
    if (!isReadOnly) return;
    const what = isOwn ? 'container rootfs' : 'mounted volume';
    throw new HealthctlError('INVALID', `${what} is marked read-only`);
  } finally {
    closeSync(dir);
  }
}

function isWritable(dir: number): boolean {
  try {
    accessSync(`/proc/self/fd/${dir}/.`, constants.W_OK);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EROFS') return false;
    throw error;
  }
}

function ownerOf(root: number, { record }: ContainerView): ExtractRequest['owner'] {
  const stored = storedConfigOf(record);
  if (!stored) {
    const user = specOf(record)?.process?.user;
    return user ? { uid: user.uid, gid: user.gid } : 'archive';
  }
  const { User: user } = stored.Config;
  if (!isText(user) || user === '') return 'archive';
  const text = (path: string) => readFileIn(root, path, MAX_PASSWD_BYTES)?.toString('utf8');
  const { uid, gid } = resolveUser({ user, groupAdd: [], passwd: text('/etc/passwd'), group: text('/etc/group') });
  return { uid, gid };
}

function asFailure(error: unknown, { path, called }: ContainerPath): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  if (errno === 'ENOENT')
    return new HealthctlError('NOT_FOUND', `Could not find the file ${path} in container ${called}`, { cause: error });
  const full = noSpaceError(error, `container ${called}`);
  if (full !== error) return full;
  const reason = messageOf(error).replace(/^.*?: /, '');
  return new HealthctlError('RUNTIME', `lstat ${absolute(path)}: ${reason}`, { cause: error });
}
