import { exportContainer } from '../../../container/copy/changes.ts';
import { resolveView } from '../../../container/resolve.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { CONTAINER, FILE } from '../../flags/values.ts';

/** `healthctl export`: Docker's. */
export const exportCommand: Command = {
  usage: '[OPTIONS] CONTAINER',
  options: [
    {
      name: 'output',
      short: 'o',
      type: 'string',
      value: 'string',
      help: 'Write to a file, instead of STDOUT',
      complete: FILE,
    },
  ],
  args: { min: 1, max: 1 },
  complete: [CONTAINER],
  run: (world, input) => runExport(world, input),
};

async function runExport(world: World, { options, args: [name = ''] }: CommandInput): Promise<CommandResult> {
  const { streams, signal } = world;
  const output = options.string('output');
  if (!output && streams.stdout.isTTY === true) {
    throw new HealthctlError('USAGE', 'cowardly refusing to save to a terminal. Use the -o flag or redirect', {
      exitCode: 1,
    });
  }
  const ctx = await openContainers(world);
  const content = await exportContainer(ctx, await resolveView(ctx, name, world), signal);
  if (output) {
    const { writeOutputFile } = await import('../../../system/output-file.ts');
    await writeOutputFile(output, content);
    return {};
  }
  const { writerTo } = await import('../../../container/console/user-console.ts');
  const write = writerTo(streams.stdout, signal);
  for await (const chunk of content) {
    if (signal.aborted) throw new HealthctlError('ABORTED', 'the export was cancelled');
    await write(chunk);
  }
  return {};
}
