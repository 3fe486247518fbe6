import { disconnectContainer } from '../../../container/network/connect.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { CONTAINER, NETWORK } from '../../flags/values.ts';

/** `healthctl network disconnect`: Docker's. */
export const disconnect: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  options: [{ name: 'force', short: 'f', type: 'bool', help: 'Force the container to disconnect from a network' }],
  args: { min: 2, max: 2 },
  complete: [NETWORK, CONTAINER],
  run: async (world, { options, args: [network = '', container = ''] }) => {
    const ctx = await openContainers(world);
    await disconnectContainer(ctx, { container, network, force: options.bool('force') });
    return {};
  },
};
