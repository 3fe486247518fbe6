import { lstatSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ContainerContext } from '../container/context.ts';
import type { Created } from '../container/create.ts';
import { withVolumesFrom } from '../container/volumes/from.ts';
import { fileReasonOf, HealthctlError } from '../lib/errors.ts';
import { replaceFile } from '../system/atomic-write.ts';
import { realPath } from '../system/real-path.ts';
import type { World } from '../world.ts';
import type { CreateOptions } from './flags/create.ts';
import { imageForCreate } from './image-for-create.ts';
import { warnOfReboot } from './monitor/announce-change.ts';

/** Creates the container of `run` or `create` from its options, and the --cidfile. */
export async function createFromOptions(world: World, ctx: ContainerContext, options: CreateOptions): Promise<Created> {
  const { createContainer } = await import('../container/create.ts');
  const { request: asked, pull, quiet, platform } = options;
  const { signal } = world;
  const request = await withVolumesFrom(ctx, asked, { texts: options.volumesFrom, signal });
  const cidfile = options.cidfile ? fileAt(options.cidfile) : undefined;
  if (cidfile) writeCidfile(cidfile, '');
  try {
    const created = await createContainer(ctx, request, {
      findImage: () => imageForCreate(world, request.image, { policy: pull, quiet, ...(platform ? { platform } : {}) }),
      path: world.env.PATH ?? '',
      signal: world.signal,
    });
    if (cidfile) writeCidfile(cidfile, created.record.id);
    await warnOfReboot(world, request.restart);
    return created;
  } catch (error) {
    if (cidfile) rmSync(cidfile, { force: true });
    throw error;
  }
}

/** The kernel's own limit. */
const MAX_LINKS = 40;

/**
 * The end of a chain of links, whose last target may be missing: as in Docker, that file is created, and the links
 * stay.
 */
function fileAt(path: string): string {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    if (!lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) return at;
    at = resolve(realPath(dirname(at)) ?? dirname(at), readlinkSync(at));
  }
  return path;
}

function writeCidfile(path: string, id: string): void {
  try {
    replaceFile(path, id, 0o644);
  } catch (cause) {
    throw new HealthctlError('CONFIG', `failed to create the container ID file: open ${path}: ${fileReasonOf(cause)}`, {
      cause,
    });
  }
}
