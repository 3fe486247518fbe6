import { humanSize } from '../../../go/units.ts';
import type { Command } from '../../command.ts';
import { isPruneWanted, pruneFilterFrom, pruneOptionSpecs } from '../../flags/prune.ts';
import { pruneAllImages } from '../../pruned.ts';

const WARNING_OF_ALL = 'WARNING! This will remove all images without at least one container associated to them.';
const WARNING_OF_DANGLING = 'WARNING! This will remove all dangling images.';

/** `healthctl image prune`: Docker's. */
export const prune: Command = {
  usage: '[OPTIONS]',
  options: [
    { name: 'all', short: 'a', type: 'bool', help: 'Remove all unused images, not just dangling ones' },
    ...pruneOptionSpecs,
  ],
  args: { min: 0, max: 0 },
  run: async (world, { options }) => {
    const filter = pruneFilterFrom(options, world);
    const all = options.bool('all');
    if (!(await isPruneWanted(world, options, all ? WARNING_OF_ALL : WARNING_OF_DANGLING))) return {};
    const { text, reclaimed } = await pruneAllImages(world, { all, filter });
    return { stdout: `${text}Total reclaimed space: ${humanSize(reclaimed)}\n` };
  },
};
