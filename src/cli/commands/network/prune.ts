import { pruneNetworks } from '../../../network/remove-network.ts';
import type { Command } from '../../command.ts';
import { isPruneWanted, pruneFilterFrom, pruneOptionSpecs } from '../../flags/prune.ts';
import { openNetworks } from '../../network-context.ts';
import { publishNetworks } from '../../network-events.ts';

/** `healthctl network prune`: Docker's. */
export const prune: Command = {
  usage: '[OPTIONS]',
  options: pruneOptionSpecs,
  args: { min: 0, max: 0 },
  run: async (world, { options }) => {
    const filter = pruneFilterFrom(options, world);
    const warning = 'WARNING! This will remove all custom networks not used by at least one container.';
    if (!(await isPruneWanted(world, options, warning))) return {};
    const removed = await pruneNetworks(openNetworks(world), filter);
    await publishNetworks(
      world,
      'destroy',
      removed.map((network) => ({ ...network, driver: 'bridge' })),
    );
    const names = removed.map(({ name }) => name);
    return { stdout: names.length > 0 ? `Deleted Networks:\n${names.join('\n')}\n\n` : '' };
  },
};
