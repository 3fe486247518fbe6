import { HealthctlError } from '../../../lib/errors.ts';
import { checkNetworking } from '../../../network/attach.ts';
import { withNetworkLock } from '../../../network/network-context.ts';
import { parseNetworkOptions } from '../../../network/network-option.ts';
import { createNetwork } from '../../../network/network-record.ts';
import { parseLabel } from '../../../oci/parse.ts';
import type { Command } from '../../command.ts';
import { checkBy } from '../../flags/check-by.ts';
import { openNetworks } from '../../network-context.ts';
import { publishNetworks } from '../../network-events.ts';

/** `healthctl network create`: Docker's, of bridges. */
export const create: Command = {
  usage: '[OPTIONS] NETWORK',
  options: [
    {
      name: 'driver',
      short: 'd',
      type: 'string',
      help: 'Driver to manage the Network',
      default: 'bridge',
      complete: { words: ['bridge'] },
    },
    { name: 'gateway', type: 'string', help: 'IPv4 Gateway for the master subnet' },
    { name: 'internal', type: 'bool', help: 'Restrict external access to the network' },
    { name: 'ip-range', type: 'string', help: 'Allocate container ip from a sub-range' },
    { name: 'label', type: 'list', help: 'Set metadata on a network', check: checkBy(parseLabel) },
    {
      name: 'opt',
      short: 'o',
      type: 'list',
      help: 'Driver specific options: com.docker.network.driver.mtu=BYTES',
      complete: { words: ['com.docker.network.driver.mtu='] },
    },
    { name: 'subnet', type: 'string', help: 'Subnet in CIDR format that represents a network segment' },
  ],
  args: { min: 1, max: 1 },
  run: async (world, { options, args: [name = ''] }) => {
    const driver = options.string('driver');
    if (driver !== 'bridge')
      throw new HealthctlError('NOT_FOUND', `plugin "${driver}" not found`, { hint: 'the driver is always bridge' });
    const { mtu, unknown } = parseNetworkOptions(options.list('opt'));
    const ignored = unknown.map((option) => `--opt ${option} has no effect`);
    const [subnet, gateway, ipRange] = [
      options.string('subnet'),
      options.string('gateway'),
      options.string('ip-range'),
    ];
    const ctx = openNetworks(world);
    checkNetworking(ctx);
    const network = await withNetworkLock(ctx, async (locked) =>
      createNetwork(locked, {
        name,
        internal: options.bool('internal'),
        labels: Object.fromEntries(options.list('label').map(parseLabel)),
        ...(mtu === undefined ? {} : { mtu }),
        ...(subnet ? { subnet } : {}),
        ...(ipRange ? { ipRange } : {}),
        ...(gateway ? { gateway } : {}),
      }),
    );
    await publishNetworks(world, 'create', [{ ...network, driver }]);
    return { stdout: `${network.id}\n`, warnings: ignored };
  },
};
