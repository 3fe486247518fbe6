import type { Readable } from 'node:stream';
import { parsePlatform } from '../../../image/platform.ts';
import { parseReference, withDefaultTag } from '../../../image/reference.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { openGivenStream } from '../../../system/given-file.ts';
import type { World } from '../../../world.ts';
import { announceImage } from '../../announce-image.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { platformOption } from '../../flags/platform.ts';
import { ANYTHING, FILE } from '../../flags/values.ts';

/** `healthctl import`: Docker's, without URLs. */
export const importCommand: Command = {
  usage: '[OPTIONS] file|- [REPOSITORY[:TAG]]',
  options: [
    { name: 'change', short: 'c', type: 'list', help: 'Apply Dockerfile instruction to the created image' },
    { name: 'message', short: 'm', type: 'string', help: 'Set commit message for imported image' },
    platformOption('Set platform of the image, e.g. linux/arm64'),
  ],
  args: { min: 1, max: 2 },
  complete: [FILE, ANYTHING],
  run: (world, input) => runImport(world, input),
};

type ImportWorld = Pick<World, 'containerd' | 'clock' | 'log' | 'settings' | 'signal' | 'streams'>;

async function runImport(world: ImportWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const [file = '', name] = args;
  const reference = name === undefined ? undefined : withDefaultTag(parseReference(name));
  if (reference?.digest !== undefined) throw new HealthctlError('INVALID', 'cannot import digest reference');
  const platform = options.string('platform');
  const source = openSource(world, file);
  try {
    const { importImage } = await import('../../../image/import.ts');
    const id = await importImage(
      { containerd: await world.containerd(), clock: world.clock },
      {
        what: file === '-' ? 'standard input' : file,
        source,
        reference,
        changes: options.list('change'),
        message: options.string('message') || `Imported from ${file}`,
        platform: platform === undefined ? undefined : parsePlatform(platform),
        snapshotter: world.settings.snapshotter,
        signal: world.signal,
      },
    );
    await announceImage(world, 'import', { id });
    return { stdout: `${id}\n` };
  } finally {
    source.destroy();
  }
}

function openSource({ streams }: ImportWorld, file: string): Readable {
  if (file === '-') return streams.stdin;
  if (/^https?:\/\//.test(file)) {
    throw new HealthctlError('INVALID', `healthctl fetches no file systems: ${file}`, {
      hint: `download it, and pipe it in: curl -L ${file} | healthctl import -`,
    });
  }
  return openGivenStream(file);
}
