import { rmSync } from 'node:fs';
import type { ContainerContext } from '../container/context.ts';
import type { Created } from '../container/create.ts';
import { fileReasonOf, HealthctlError } from '../lib/errors.ts';
import { replaceFile } from '../store/atomic-write.ts';
import type { World } from '../world.ts';
import type { CreateOptions } from './flags/create.ts';
import { imageForCreate } from './image-for-create.ts';
import { warnOfReboot } from './monitor.ts';

/** Makes the container that the options of `run` or `create` describe, and the --cidfile. */
export async function createFromOptions(world: World, ctx: ContainerContext, options: CreateOptions): Promise<Created> {
  const { createContainer } = await import('../container/create.ts');
  const { request, pull, quiet, cidfile } = options;
  if (cidfile) writeCidfile(cidfile, '');
  try {
    const created = await createContainer(ctx, request, {
      findImage: () => imageForCreate(world, request.image, { policy: pull, quiet }),
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

function writeCidfile(path: string, id: string): void {
  try {
    replaceFile(path, id, 0o644);
  } catch (cause) {
    throw new HealthctlError('CONFIG', `failed to create the container ID file: open ${path}: ${fileReasonOf(cause)}`, {
      cause,
    });
  }
}
