import type { Readable } from 'node:stream';
import { HealthctlError } from '../../../lib/errors.ts';
import { openGivenStream } from '../../../system/given-file.ts';
import type { World } from '../../../world.ts';
import { announceImage } from '../../announce-image.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { FILE } from '../../flags/values.ts';
import { showProgress } from '../../progress.ts';

/** `healthctl load`, as Docker's. */
export const load: Command = {
  usage: '[OPTIONS]',
  options: [
    {
      name: 'input',
      short: 'i',
      type: 'string',
      value: 'string',
      help: 'Read from tar archive file, instead of STDIN',
      complete: FILE,
    },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Suppress the load output' },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => runLoad(world, input),
};

type LoadWorld = Pick<World, 'containerd' | 'clock' | 'log' | 'settings' | 'signal' | 'streams'>;

async function runLoad(world: LoadWorld, { options }: CommandInput): Promise<CommandResult> {
  const input = options.string('input');
  const source = input ? openGivenStream(input) : openStdin(world);
  const view =
    options.bool('quiet') || world.streams.stderr.isTTY !== true
      ? undefined
      : showProgress(world.streams.stderr, world.clock);
  try {
    const { loadImages } = await import('../../../image/load.ts');
    const loaded = await loadImages(
      { containerd: await world.containerd(), clock: world.clock },
      {
        what: input || 'standard input',
        source,
        snapshotter: world.settings.snapshotter,
        signal: world.signal,
        ...(view ? { onProgress: view.onProgress } : {}),
      },
    );
    for (const { id } of loaded) await announceImage(world, 'load', { id });
    const lines = loaded.flatMap(({ familiarNames, id }) =>
      familiarNames.length > 0 ? familiarNames.map((name) => `Loaded image: ${name}\n`) : [`Loaded image ID: ${id}\n`],
    );
    return { stdout: lines.join('') };
  } finally {
    view?.end();
    source.destroy();
  }
}

function openStdin({ streams }: LoadWorld): Readable {
  if (streams.stdin.isTTY === true) {
    throw new HealthctlError('USAGE', 'requested load from stdin, but stdin is empty', {
      hint: 'give an archive with --input, or pipe one in',
      exitCode: 1,
    });
  }
  return streams.stdin;
}
