import { connectContainer } from '../../../container/network/connect.ts';
import { plainEndpoint } from '../../../record/endpoint-config.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { parseDriverOption, parsePriority } from '../../flags/network-option.ts';
import { CONTAINER, NETWORK } from '../../flags/values.ts';

/** `healthctl network connect`: Docker's. */
export const connect: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  options: [
    { name: 'alias', type: 'list', help: 'Add network-scoped alias for the container' },
    { name: 'driver-opt', type: 'list', help: 'driver options for the network' },
    {
      name: 'gw-priority',
      type: 'string',
      value: 'int',
      help: 'Highest gw-priority provides the default gateway; it may be negative',
    },
    { name: 'ip', type: 'string', help: 'IPv4 address (e.g., "172.30.100.104")' },
    { name: 'ip6', type: 'string', help: 'IPv6 address (e.g., "2001:db8::33")' },
    { name: 'link', type: 'list', help: 'Add link to another container', complete: CONTAINER },
  ],
  args: { min: 2, max: 2 },
  complete: [NETWORK, CONTAINER],
  run: async (world, { options, args: [network = '', container = ''] }) => {
    const [address, address6, priority] = ['ip', 'ip6', 'gw-priority'].map(options.string);
    const asked = {
      ...plainEndpoint(network),
      aliases: options.list('alias').flatMap((text) => text.split(',')),
      links: options.list('link'),
      driverOpts: Object.fromEntries(options.list('driver-opt').map(parseDriverOption)),
      ...(address ? { ipv4Address: address } : {}),
      ...(address6 ? { ipv6Address: address6 } : {}),
      ...(priority ? { gatewayPriority: parsePriority(priority) } : {}),
    };
    await connectContainer(await openContainers(world), { container, asked });
    return {};
  },
};
