import { posix } from 'node:path';
import type { ContainerContext } from '../../container/context.ts';
import { readContainerPath, statContainerPath, writeContainerPath } from '../../container/copy/archive.ts';
import { isDirectoryMode, isSpecialMode, isSymlinkMode, type PathStat } from '../../container/copy/path-stat.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { ContainerView } from '../../record/view.ts';
import { extractInto, packLocal } from '../../system/tar/local-tree.ts';
import { absoluteLocal, checkOutputPath, localSource, localTarget } from './local.ts';
import { type CopySide, planCopy, rebased, splitEntry } from './rules.ts';

export interface CopyRequest {
  readonly view: ContainerView;
  /** The container as the user named it. */
  readonly called: string;
  readonly from: string;
  readonly to: string;
  readonly followsLink: boolean;
  readonly copiesOwner: boolean;
  readonly signal: AbortSignal;
}

/** Bytes of the archive that was copied, and the target. */
export interface Copied {
  readonly bytes: number;
  readonly target: string;
}

/** The archive of a path in a container, for standard output. */
export async function openCopy(ctx: ContainerContext, request: CopyRequest): Promise<AsyncIterable<Buffer>> {
  const { path } = await containerSource(ctx, request);
  return (await readContainerPath(ctx, { ...request, path })).content;
}

/** From a container to a local path. The copy belongs to the caller, as with Docker. */
export async function copyFromContainer(ctx: ContainerContext, request: CopyRequest): Promise<Copied> {
  const target = absoluteLocal(request.to);
  checkOutputPath(target);
  const source = await containerSource(ctx, request);
  const { directory, name } = planCopy(source, localTarget(target));
  const shown = name === undefined ? {} : { shownAs: name };
  const { content } = await readContainerPath(ctx, { ...request, path: source.path, ...shown });
  const counted = countBytes(content);
  await extractInto(directory, counted.chunks, { signal: request.signal });
  return { bytes: counted.bytes(), target };
}

/** From a local path, or an archive on standard input, to a container. */
export async function copyToContainer(
  ctx: ContainerContext,
  request: CopyRequest,
  stdin: AsyncIterable<Uint8Array>,
): Promise<Copied> {
  const { view, called, signal, copiesOwner } = request;
  const target = await containerTarget(ctx, request);
  const write = (path: string, chunks: AsyncIterable<Uint8Array>) =>
    writeContainerPath(ctx, { view, called, path, signal }, chunks, { keepsKinds: true, copiesOwner });
  if (request.from === '-') {
    if (!target.isDirectory)
      throw new HealthctlError('CONFLICT', `destination "${called}:${request.to}" must be a directory`);
    const archive = countBytes(stdin);
    await write(target.path, archive.chunks);
    return { bytes: archive.bytes(), target: `${called}:${target.path}` };
  }
  const source = localSource(absoluteLocal(request.from), request);
  const { directory, name } = planCopy(source, target);
  const { directory: from, base } = splitEntry(source.path);
  const packed = countBytes(packLocal(from, { name: base, shownAs: name ?? source.rebaseName ?? base, signal }));
  await write(directory, packed.chunks);
  return { bytes: packed.bytes(), target: `${called}:${target.path}` };
}

async function containerSource(ctx: ContainerContext, request: CopyRequest): Promise<CopySide> {
  const { view, called, signal, from } = request;
  let source: { readonly path: string; readonly rebaseName?: string } = { path: from };
  let stat = await statContainerPath(ctx, { view, called, path: from, signal });
  if (request.followsLink && isSymlinkMode(stat.mode)) {
    source = rebased(from, absoluteTarget(from, stat));
    stat = await statContainerPath(ctx, { view, called, path: source.path, signal });
  }
  return { ...source, exists: true, isDirectory: isDirectoryMode(stat.mode) };
}

async function containerTarget(ctx: ContainerContext, request: CopyRequest): Promise<CopySide> {
  const { view, called, signal, to } = request;
  let path = to;
  let stat = await statIfThere(ctx, { view, called, path, signal });
  if (stat && isSymlinkMode(stat.mode)) {
    path = absoluteTarget(to, stat);
    stat = await statIfThere(ctx, { view, called, path, signal });
  }
  if (stat && isSpecialMode(stat.mode))
    throw new HealthctlError('INVALID', `destination "${called}:${to}" must be a directory or a regular file`);
  return { path, exists: stat !== undefined, isDirectory: stat !== undefined && isDirectoryMode(stat.mode) };
}

const absoluteTarget = (path: string, { linkTarget }: PathStat): string =>
  linkTarget.startsWith('/') ? linkTarget : posix.join(splitEntry(path).directory, linkTarget);

/** Undefined for anything that cannot be described: the extraction will say what is wrong. */
async function statIfThere(
  ctx: ContainerContext,
  request: Parameters<typeof statContainerPath>[1],
): Promise<PathStat | undefined> {
  try {
    return await statContainerPath(ctx, request);
  } catch (error) {
    if (error instanceof HealthctlError && (error.code === 'NOT_FOUND' || error.code === 'RUNTIME')) return undefined;
    throw error;
  }
}

function countBytes<T extends Uint8Array>(source: AsyncIterable<T>) {
  let bytes = 0;
  const chunks = (async function* () {
    for await (const chunk of source) {
      bytes += chunk.length;
      yield chunk;
    }
  })();
  return { chunks, bytes: () => bytes };
}
