import { parsePlatform } from '../../../image/platform.ts';
import type { ImageArchive } from '../../../image/save.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import { announceImage } from '../../announce-image.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { platformOption } from '../../flags/platform.ts';
import { FILE, IMAGE } from '../../flags/values.ts';

/** `healthctl save`: Docker's. */
export const save: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  options: [
    {
      name: 'output',
      short: 'o',
      type: 'string',
      value: 'string',
      help: 'Write to a file, instead of STDOUT',
      complete: FILE,
    },
    platformOption('Save only the given platform variant, e.g. linux/amd64'),
  ],
  args: { min: 1 },
  complete: [IMAGE],
  run: (world, input) => runSave(world, input),
};

type SaveWorld = Pick<World, 'containerd' | 'log' | 'signal' | 'streams'>;

async function runSave(world: SaveWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const { signal, streams } = world;
  const output = options.string('output');
  if (!output && streams.stdout.isTTY === true) {
    throw new HealthctlError('USAGE', 'cowardly refusing to save to a terminal. Use the -o flag or redirect', {
      exitCode: 1,
    });
  }
  const platform = options.string('platform');
  const { saveImages } = await import('../../../image/save.ts');
  const archive = await saveImages(
    { containerd: await world.containerd() },
    { names: args, signal, ...(platform === undefined ? {} : { platform: parsePlatform(platform) }) },
  );
  await (output ? writeTo(output, archive) : writeToStdout(world, archive));
  for (const id of archive.ids) await announceImage(world, 'save', { id });
  return {};
}

async function writeTo(output: string, archive: ImageArchive): Promise<void> {
  const { writeOutputFile } = await import('../../../system/output-file.ts');
  await writeOutputFile(output, archive.bytes());
}

async function writeToStdout({ streams, signal }: SaveWorld, archive: ImageArchive): Promise<void> {
  const { writerTo } = await import('../../../container/console/user-console.ts');
  const write = writerTo(streams.stdout, signal);
  for await (const chunk of archive.bytes()) {
    if (signal.aborted) throw new HealthctlError('ABORTED', 'the save was cancelled');
    await write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }
}
