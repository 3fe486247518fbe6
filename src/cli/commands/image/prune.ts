import { humanSize } from '../../../go/units.ts';
import { pruneImages } from '../../../image/prune.ts';
import { imageIdOf } from '../../../record/details.ts';
import { announceRemoved } from '../../announce-image.ts';
import type { Command } from '../../command.ts';
import { isPruneWanted, pruneFilterFrom, pruneOptionSpecs } from '../../flags/prune.ts';

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
    const { signal, settings } = world;
    const filter = pruneFilterFrom(options, world);
    const all = options.bool('all');
    if (!(await isPruneWanted(world, options, all ? WARNING_OF_ALL : WARNING_OF_DANGLING))) return {};
    const containerd = await world.containerd();
    const { snapshotter } = settings;
    const { removed, reclaimed } = await pruneImages({ containerd }, { all, filter, snapshotter, imageIdOf, signal });
    await announceRemoved(world, removed);
    const lines = removed.map((what) =>
      'untagged' in what ? `untagged: ${what.untagged}\n` : `deleted: ${what.deleted}\n`,
    );
    const deleted = lines.length > 0 ? `Deleted Images:\n${lines.join('')}\n` : '';
    return { stdout: `${deleted}Total reclaimed space: ${humanSize(reclaimed)}\n` };
  },
};
