import { parsePlatform } from '../../../image/platform.ts';
import { familiarName, familiarRepository, parseReference, withDefaultTag } from '../../../image/reference.ts';
import type { World } from '../../../world.ts';
import { announceImage } from '../../announce-image.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { platformOption } from '../../flags/platform.ts';
import { IMAGE } from '../../flags/values.ts';
import { showProgress } from '../../progress.ts';

/** `healthctl pull`: Docker's, and --plain-http. */
export const pull: Command = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  options: [
    { name: 'plain-http', type: 'bool', help: 'Speak plain HTTP to the registry (default on this machine only)' },
    platformOption('Set platform if the registry has the image for several, e.g. linux/arm64'),
    { name: 'quiet', short: 'q', type: 'bool', help: 'Suppress verbose output' },
  ],
  args: { min: 1, max: 1 },
  complete: [IMAGE],
  run: (world, input) => runPull(world, input),
};

type PullWorld = Pick<World, 'containerd' | 'clock' | 'env' | 'log' | 'settings' | 'signal' | 'streams'>;

async function runPull(world: PullWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const [name = ''] = args;
  const asked = parseReference(name);
  const reference = withDefaultTag(asked);
  const platform = options.string('platform');
  const quiet = options.bool('quiet');
  const { pullImage } = await import('../../../image/pull.ts');
  const containerd = await world.containerd();
  const view = quiet ? undefined : showProgress(world.streams.stderr, world.clock);
  if (!quiet) {
    if (reference !== asked) world.streams.stderr.write(`Using default tag: ${reference.tag}\n`);
    const { domain, path } = reference;
    const from = domain === 'docker.io' ? path : familiarRepository({ domain, path });
    world.streams.stderr.write(`${reference.tag ?? reference.digest}: Pulling from ${from}\n`);
  }
  try {
    const pulled = await pullImage(
      { containerd, clock: world.clock, env: world.env },
      {
        reference,
        snapshotter: world.settings.snapshotter,
        plainHttp: options.bool('plain-http'),
        signal: world.signal,
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
        ...(view ? { onProgress: view.onProgress } : {}),
      },
    );
    await announceImage(world, 'pull', { id: familiarName(reference), name: familiarRepository(reference) });
    if (quiet) return { stdout: `${pulled.name}\n` };
    const status = pulled.changed ? 'Downloaded newer image for' : 'Image is up to date for';
    return {
      stdout: `Digest: ${pulled.digest}\nStatus: ${status} ${familiarName(reference)}\n${pulled.name}\n`,
    };
  } finally {
    view?.end();
  }
}
