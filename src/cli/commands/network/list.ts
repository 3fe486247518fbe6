import { localTimestamp } from '../../../go/units.ts';
import { shortId } from '../../../image/digest-text.ts';
import {
  type KnownNetwork,
  knownNetworks,
  matchesNetwork,
  parseNetworkFilters,
} from '../../../network/known-networks.ts';
import { usedNetworks } from '../../../network/network-document.ts';
import type { Command } from '../../command.ts';
import { listFormatOption } from '../../flags/format.ts';
import { BOOLEAN, LABEL, NETWORK } from '../../flags/values.ts';
import { type Column, renderList } from '../../format/table.ts';
import { openNetworks } from '../../network-context.ts';

/** `healthctl network ls`: Docker's. */
export const list: Command = {
  usage: '[OPTIONS]',
  options: [
    {
      name: 'filter',
      short: 'f',
      type: 'list',
      value: 'filter',
      help: 'Provide filter values (e.g. "driver=bridge")',
      check: (text) => (text.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
      complete: {
        after: {
          'dangling=': BOOLEAN,
          'driver=': { words: ['bridge', 'host', 'null'] },
          'id=': {},
          'label=': LABEL,
          'name=': NETWORK,
          'scope=': { words: ['local'] },
          'type=': { words: ['builtin', 'custom'] },
        },
      },
    },
    listFormatOption,
    { name: 'no-trunc', type: 'bool', help: 'Do not truncate the output' },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only display network IDs' },
  ],
  args: { min: 0, max: 0 },
  run: async (world, { options }) => {
    const filters = parseNetworkFilters(options.list('filter'));
    const ctx = openNetworks(world);
    const used = filters.has('dangling') ? usedNetworks(ctx) : new Set<string>();
    const stdout = renderList({
      format: options.string('format'),
      quiet: options.bool('quiet'),
      defaultTable: 'table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}',
      rows: knownNetworks(ctx).filter((network) => matchesNetwork(filters, network, used.has(network.name))),
      columns: columnsOf(options.bool('no-trunc')),
      label: ({ labels }, name) => labels[name] ?? '',
      typeName: '*formatter.networkContext',
    });
    return { stdout };
  },
};

/** docker/cli, network/formatter.go. */
function columnsOf(noTrunc: boolean): Readonly<Record<string, Column<KnownNetwork>>> {
  return {
    CreatedAt: {
      header: 'CREATED AT',
      value: ({ created }) =>
        created === undefined ? '0001-01-01 00:00:00 +0000 UTC' : localTimestamp(Date.parse(created)),
    },
    Driver: { header: 'DRIVER', value: ({ driver }) => driver },
    ID: { header: 'NETWORK ID', value: ({ id }) => (noTrunc ? id : shortId(id)) },
    IPv4: { header: 'IPV4', value: () => 'true' },
    IPv6: { header: 'IPV6', value: ({ addresses }) => `${addresses?.ipv6 !== undefined}` },
    Internal: { header: 'INTERNAL', value: ({ internal }) => `${internal}` },
    Labels: {
      header: 'LABELS',
      value: ({ labels }) =>
        Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
    },
    Name: { header: 'NAME', value: ({ name }) => name },
    Scope: { header: 'SCOPE', value: () => 'local' },
  };
}
