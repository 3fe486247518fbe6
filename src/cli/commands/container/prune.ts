import { pruneContainers } from '../../../container/prune.ts';
import { humanSize } from '../../../go/units.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { isPruneWanted, pruneFilterFrom, pruneOptionSpecs } from '../../flags/prune.ts';
import { announceChange } from '../../monitor/announce-change.ts';

/** `healthctl container prune`: Docker's, of the containers that healthctl made. */
export const prune: Command = {
  usage: '[OPTIONS]',
  options: pruneOptionSpecs,
  args: { min: 0, max: 0 },
  run: async (world, { options }) => {
    const filter = pruneFilterFrom(options, world);
    if (!(await isPruneWanted(world, options, 'WARNING! This will remove all stopped containers.'))) return {};
    const ctx = await openContainers(world);
    const onRemoved = (id: string): Promise<void> => announceChange(world, ctx, id, { kind: 'removed' });
    const { ids, reclaimed } = await pruneContainers(ctx, { filter, onRemoved, signal: world.signal });
    const deleted = ids.length > 0 ? `Deleted Containers:\n${ids.join('\n')}\n\n` : '';
    return { stdout: `${deleted}Total reclaimed space: ${humanSize(reclaimed)}\n` };
  },
};
