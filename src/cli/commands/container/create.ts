import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { createFromOptions } from '../../create-container.ts';
import { createOptionSpecs, createOptionsFrom } from '../../flags/create.ts';
import { IMAGE } from '../../flags/values.ts';
import { announceChange } from '../../monitor/announce-change.ts';
import { workingDirectory } from '../../working-directory.ts';

/** `healthctl create`: Docker's. */
export const create: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  options: createOptionSpecs,
  args: { min: 1 },
  complete: [IMAGE],
  optionsEndAtArgument: true,
  run: async (world, { options, args }) => {
    const asked = await createOptionsFrom(options, args, {
      cwd: workingDirectory,
      env: world.env,
      defaultNetwork: world.settings.network.defaultNetwork,
      signal: world.signal,
      detach: false,
    });
    const ctx = await openContainers(world);
    const { record } = await createFromOptions(world, ctx, asked);
    await announceChange(world, ctx, record.id, { kind: 'changed' });
    return { stdout: `${record.id}\n` };
  },
};
