import { humanSize } from '../../../go/units.ts';
import type { Command } from '../../command.ts';
import { isPruneWanted, pruneFilterFrom, pruneOptionSpecs } from '../../flags/prune.ts';
import { pruneAllContainers } from '../../pruned.ts';

/** `healthctl container prune`: Docker's, of the containers that healthctl made. */
export const prune: Command = {
  usage: '[OPTIONS]',
  options: pruneOptionSpecs,
  args: { min: 0, max: 0 },
  run: async (world, { options }) => {
    const filter = pruneFilterFrom(options, world);
    if (!(await isPruneWanted(world, options, 'WARNING! This will remove all stopped containers.'))) return {};
    const { text, reclaimed } = await pruneAllContainers(world, filter);
    return { stdout: `${text}Total reclaimed space: ${humanSize(reclaimed)}\n` };
  },
};
