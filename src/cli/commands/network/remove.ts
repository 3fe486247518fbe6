import { hasCode } from '../../../lib/errors.ts';
import { removeNetwork } from '../../../network/remove-network.ts';
import type { Command } from '../../command.ts';
import { forEachName } from '../../each.ts';
import { NETWORK } from '../../flags/values.ts';
import { openNetworks } from '../../network-context.ts';
import { publishNetworks } from '../../network-events.ts';

/** `healthctl network rm`: Docker's. */
export const remove: Command = {
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  options: [{ name: 'force', short: 'f', type: 'bool', help: 'Do not error if the network does not exist' }],
  args: { min: 1 },
  complete: [NETWORK],
  run: async (world, { options, args }) => {
    const ctx = openNetworks(world);
    const result = await forEachName(
      args,
      async (name) => {
        await publishNetworks(world, 'destroy', [{ ...(await removeNetwork(ctx, name)), driver: 'bridge' }]);
      },
      { atOnce: 1 },
    );
    const isExcused = options.bool('force') && (result.errors ?? []).every((error) => hasCode(error, 'NOT_FOUND'));
    return isExcused ? { ...result, errors: [], exitCode: 0 } : result;
  },
};
