import { HealthctlError } from '../../../lib/errors.ts';
import { checkNetworking } from '../../../network/attach.ts';
import { withNetworkLock } from '../../../network/network-context.ts';
import { parseNetworkOptions } from '../../../network/network-option.ts';
import { createNetwork } from '../../../network/network-record.ts';
import { parseLabel } from '../../../oci/parse.ts';
import type { Command } from '../../command.ts';
import { checkBy } from '../../flags/check-by.ts';
import { parseDriverOption } from '../../flags/network-option.ts';
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
    { name: 'gateway', type: 'list', help: 'Gateway for the subnet, of IPv4 or IPv6' },
    { name: 'internal', type: 'bool', help: 'Restrict external access to the network' },
    { name: 'ip-range', type: 'list', help: 'Allocate container ip from a sub-range' },
    { name: 'ipv6', type: 'bool', help: 'Enable IPv6 networking' },
    { name: 'label', type: 'list', help: 'Set metadata on a network', check: checkBy(parseLabel) },
    {
      name: 'opt',
      short: 'o',
      type: 'list',
      help: 'Driver specific options: com.docker.network.driver.mtu=BYTES, com.docker.network.bridge.name=NAME …',
      complete: {
        words: [
          'com.docker.network.driver.mtu=',
          'com.docker.network.bridge.name=',
          'com.docker.network.bridge.enable_ip_masquerade=',
        ],
      },
    },
    { name: 'subnet', type: 'list', help: 'Subnet in CIDR format that represents a network segment' },
  ],
  args: { min: 1, max: 1 },
  run: async (world, { options, args: [name = ''] }) => {
    const driver = options.string('driver');
    if (driver !== 'bridge')
      throw new HealthctlError('NOT_FOUND', `plugin "${driver}" not found`, { hint: 'the driver is always bridge' });
    const { unknown, ...parsed } = parseNetworkOptions(options.list('opt'));
    const ignored = unknown.map((option) => `--opt ${option} has no effect`);
    const given = {
      subnet: options.list('subnet'),
      gateway: options.list('gateway'),
      ipRange: options.list('ip-range'),
    };
    const ctx = openNetworks(world);
    checkNetworking(ctx);
    const network = await withNetworkLock(ctx, async (locked) =>
      createNetwork(locked, {
        name,
        internal: options.bool('internal'),
        labels: Object.fromEntries(options.list('label').map(parseLabel)),
        options: Object.fromEntries(options.list('opt').map(parseDriverOption)),
        ...parsed,
        ...addressesOf(given, 4),
        ...(options.bool('ipv6') ? { ipv6: addressesOf(given, 6) } : {}),
      }),
    );
    await publishNetworks(world, 'create', [{ ...network, driver }]);
    return { stdout: `${network.id}\n`, warnings: ignored };
  },
};

type Given = Readonly<Record<'subnet' | 'gateway' | 'ipRange', readonly string[]>>;

/** Those of IPv4 or IPv6. Throws USAGE for more than one: a bridge has one subnet of each. */
function addressesOf(given: Given, family: 4 | 6): Partial<Record<keyof Given, string>> {
  const of = (key: keyof Given, option: string): Partial<Record<keyof Given, string>> => {
    const [text, ...others] = given[key].filter((one) => one !== '' && one.includes(':') === (family === 6));
    if (others.length > 0)
      throw new HealthctlError(
        'USAGE',
        `a network has one --${option} of IPv${family}: ${[text, ...others].join(', ')}`,
      );
    return text === undefined ? {} : { [key]: text };
  };
  return { ...of('subnet', 'subnet'), ...of('ipRange', 'ip-range'), ...of('gateway', 'gateway') };
}
