import { parsePlatform } from '../../../image/platform.ts';
import type { Pulled } from '../../../image/pull.ts';
import {
  familiarName,
  familiarRepository,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../../image/reference.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import { announceImage } from '../../announce-image.ts';
import type { Command, CommandInput, CommandResult, ParsedOptions } from '../../command.ts';
import { platformOption } from '../../flags/platform.ts';
import { IMAGE } from '../../flags/values.ts';
import { showProgress } from '../../progress.ts';

/** `healthctl pull`: Docker's, and --plain-http. */
export const pull: Command = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  options: [
    { name: 'all-tags', short: 'a', type: 'bool', help: 'Download all tagged images in the repository' },
    { name: 'plain-http', type: 'bool', help: 'Speak plain HTTP to the registry (default on this machine only)' },
    platformOption('Set platform if the registry has the image for several, e.g. linux/arm64'),
    { name: 'quiet', short: 'q', type: 'bool', help: 'Suppress verbose output' },
  ],
  args: { min: 1, max: 1 },
  complete: [IMAGE],
  run: (world, input) => runPull(world, input),
};

type PullWorld = Pick<World, 'containerd' | 'clock' | 'env' | 'log' | 'settings' | 'signal' | 'streams'>;

async function runPull(world: PullWorld, { options, args: [name = ''] }: CommandInput): Promise<CommandResult> {
  const asked = parseReference(name);
  if (options.bool('all-tags')) return pullAll(world, asked, options);
  const reference = withDefaultTag(asked);
  const quiet = options.bool('quiet');
  if (!quiet && reference !== asked) world.streams.stderr.write(`Using default tag: ${reference.tag}\n`);
  const { name: full, ...pulled } = await pullOne(world, reference, options);
  return { stdout: quiet ? `${full}\n` : `${statusOf(reference, pulled)}${full}\n` };
}

/** In the end Docker prints the repository; the tags are in the lines before. */
async function pullAll(world: PullWorld, asked: Reference, options: ParsedOptions): Promise<CommandResult> {
  if (asked.tag !== undefined || asked.digest !== undefined) {
    throw new HealthctlError('INVALID', "tag can't be used with --all-tags/-a");
  }
  const { domain, path } = asked;
  const { listTags } = await import('../../../image/pull.ts');
  const request = { reference: asked, plainHttp: options.bool('plain-http'), signal: world.signal };
  let stdout = '';
  for (const tag of await listTags({ clock: world.clock, env: world.env }, request)) {
    const reference = { domain, path, tag };
    const pulled = await pullOne(world, reference, options);
    if (!options.bool('quiet')) stdout += statusOf(reference, pulled);
  }
  return { stdout: `${stdout}${domain}/${path}\n` };
}

const statusOf = (reference: Reference, { digest, changed }: Pick<Pulled, 'digest' | 'changed'>): string =>
  `Digest: ${digest}\nStatus: ${changed ? 'Downloaded newer image for' : 'Image is up to date for'} ${familiarName(reference)}\n`;

async function pullOne(world: PullWorld, reference: Reference, options: ParsedOptions): Promise<Pulled> {
  const { clock, env, settings, signal, streams } = world;
  const { pullImage } = await import('../../../image/pull.ts');
  const containerd = await world.containerd();
  const view = options.bool('quiet') ? undefined : showProgress(streams.stderr, clock);
  const platform = options.string('platform');
  if (view) {
    const { domain, path, tag, digest } = reference;
    const from = domain === 'docker.io' ? path : familiarRepository({ domain, path });
    streams.stderr.write(`${tag ?? digest}: Pulling from ${from}\n`);
  }
  try {
    const pulled = await pullImage(
      { containerd, clock, env },
      {
        reference,
        snapshotter: settings.snapshotter,
        plainHttp: options.bool('plain-http'),
        signal,
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
        ...(view ? { onProgress: view.onProgress } : {}),
      },
    );
    await announceImage(world, 'pull', { id: familiarName(reference), name: familiarRepository(reference) });
    return pulled;
  } finally {
    view?.end();
  }
}
