import type { Command } from '../../command.ts';
import { isPruneWanted, pruneFilterFrom, pruneOptionSpecs } from '../../flags/prune.ts';
import { pruneAllNetworks } from '../../pruned.ts';

/** `healthctl network prune`: Docker's. */
export const prune: Command = {
  usage: '[OPTIONS]',
  options: pruneOptionSpecs,
  args: { min: 0, max: 0 },
  run: async (world, { options }) => {
    const filter = pruneFilterFrom(options, world);
    const warning = 'WARNING! This will remove all custom networks not used by at least one container.';
    if (!(await isPruneWanted(world, options, warning))) return {};
    return { stdout: (await pruneAllNetworks(world, filter)).text };
  },
};
