import type { ResolvedImage } from '../image/find.ts';
import { imagePlatform, type Platform, platformFit, refuseOtherPlatform } from '../image/platform.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { World } from '../world.ts';
import { announceImage } from './announce-image.ts';
import type { PullPolicy } from './flags/create.ts';
import { showProgress } from './progress.ts';

type ImageWorld = Pick<World, 'containerd' | 'clock' | 'env' | 'log' | 'settings' | 'signal' | 'streams'>;

/** The image of a new container: a local one, or, by the pull policy, the registry's. Progress goes to stderr. */
export async function imageForCreate(
  world: ImageWorld,
  name: string,
  options: { readonly policy: PullPolicy; readonly quiet: boolean; readonly platform?: Platform },
): Promise<ResolvedImage> {
  const { findImage, resolveImage } = await import('../image/find.ts');
  const containerd = await world.containerd();
  const { signal } = world;
  const { platform } = options;
  if (platform) (await import('../image/runnable.ts')).refuseUnrunnable(platform);
  const ofPlatform = platform ? { platform } : {};
  if (options.policy !== 'always') {
    const found = await findImage({ containerd }, name, { signal, ...ofPlatform });
    if (found && isFor(found, platform)) return found;
    if (found && platform && options.policy === 'never')
      refuseOtherPlatform(name, imagePlatform(found.config), platform);
    if (options.policy === 'never')
      throw new HealthctlError('NOT_FOUND', `No such image: ${name}`, {
        hint: 'pull it first, or leave out --pull never',
      });
  }
  const { familiarName, familiarRepository, parseReference, withDefaultTag } = await import('../image/reference.ts');
  const { pullImage } = await import('../image/pull.ts');
  const reference = withDefaultTag(parseReference(name));
  if (options.policy === 'missing')
    world.streams.stderr.write(`Unable to find image '${familiarName(reference)}' locally\n`);
  const view = options.quiet ? undefined : showProgress(world.streams.stderr, world.clock);
  try {
    await pullImage(
      { containerd, clock: world.clock, env: world.env },
      {
        ...{ reference, snapshotter: world.settings.snapshotter, signal, ...ofPlatform },
        ...(view ? { onProgress: view.onProgress } : {}),
      },
    );
  } finally {
    view?.end();
  }
  await announceImage(world, 'pull', { id: familiarName(reference), name: familiarRepository(reference) });
  return resolveImage({ containerd }, name, { signal, ...ofPlatform });
}

/** An image that is for other platforms only is pulled, as if it were not there. */
const isFor = ({ config }: ResolvedImage, platform: Platform | undefined) =>
  platform === undefined || platformFit(imagePlatform(config), platform) > 0;
