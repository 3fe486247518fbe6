import { parsePlatform } from '../../../image/platform.ts';
import {
  familiarName,
  familiarRepository,
  fullName,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../../image/reference.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import { announceImage } from '../../announce-image.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { platformOption } from '../../flags/platform.ts';
import { IMAGE } from '../../flags/values.ts';
import { showProgress } from '../../progress.ts';

/** `healthctl push`: Docker's, and --plain-http. */
export const push: Command = {
  usage: '[OPTIONS] NAME[:TAG]',
  options: [
    { name: 'all-tags', short: 'a', type: 'bool', help: 'Push all tags of an image to the repository' },
    { name: 'plain-http', type: 'bool', help: 'Speak plain HTTP to the registry (default on this machine only)' },
    platformOption('Push only the image for this platform, e.g. linux/arm64'),
    { name: 'quiet', short: 'q', type: 'bool', help: 'Suppress verbose output' },
  ],
  args: { min: 1, max: 1 },
  complete: [IMAGE],
  run: (world, input) => runPush(world, input),
};

type PushWorld = Pick<World, 'containerd' | 'clock' | 'env' | 'log' | 'settings' | 'signal' | 'streams'>;

async function runPush(world: PushWorld, { options, args: [name = ''] }: CommandInput): Promise<CommandResult> {
  const asked = parseReference(name);
  const [quiet, platform] = [options.bool('quiet'), options.string('platform')];
  const { stderr } = world.streams;
  const references = await referencesToPush(world, asked, { all: options.bool('all-tags'), quiet });
  if (!quiet) stderr.write(`The push refers to repository [${asked.domain}/${asked.path}]\n`);
  const { pushImage } = await import('../../../image/push.ts');
  const containerd = await world.containerd();
  let stdout = '';
  for (const reference of references) {
    const view = quiet ? undefined : showProgress(stderr, world.clock);
    try {
      const { digest, size } = await pushImage(
        { containerd, clock: world.clock, env: world.env },
        {
          reference,
          platform: platform === undefined ? undefined : parsePlatform(platform),
          plainHttp: options.bool('plain-http'),
          signal: world.signal,
          ...(view ? { onProgress: view.onProgress } : {}),
        },
      );
      await announceImage(world, 'push', { id: familiarName(reference), name: familiarRepository(reference) });
      if (!quiet) stdout += `${reference.tag}: digest: ${digest} size: ${size}\n`;
    } finally {
      view?.end();
    }
  }
  const pushed = options.bool('all-tags') ? asked : withDefaultTag(asked);
  return { stdout: quiet ? `${fullName(pushed)}\n` : stdout };
}

/** Throws INVALID with Docker's texts. */
async function referencesToPush(
  world: PushWorld,
  asked: Reference,
  { all, quiet }: { readonly all: boolean; readonly quiet: boolean },
): Promise<readonly Reference[]> {
  if (asked.digest !== undefined) throw new HealthctlError('INVALID', 'cannot push a digest reference');
  if (all) {
    if (asked.tag !== undefined) {
      throw new HealthctlError('INVALID', "tag can't be used with --all-tags/-a");
    }
    const { tagsToPush } = await import('../../../image/push.ts');
    return tagsToPush(await world.containerd(), asked, world.signal);
  }
  const reference = withDefaultTag(asked);
  if (!quiet && reference !== asked) world.streams.stderr.write(`Using default tag: ${reference.tag}\n`);
  return [reference];
}
