import { asksForUsers, parseVolumeFilters } from '../../../container/volume-filter.ts';
import { type ListedVolume, listAllVolumes, listUsedVolumes } from '../../../container/volume-use.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { type Column, renderList } from '../../format/table.ts';

/** `healthctl volume ls`: Docker's. */
export const list: Command = {
  usage: '[OPTIONS]',
  options: [
    {
      name: 'filter',
      short: 'f',
      type: 'list',
      value: 'filter',
      help: 'Provide filter values: dangling=true|false, driver=local, label=KEY[=VALUE], name=REGEXP',
      check: (text) => (text.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
    },
    {
      name: 'format',
      type: 'string',
      help: "Format output: 'table', 'table TEMPLATE', 'json', or a Go template",
    },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only display volume names' },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => runList(world, input),
};

async function runList(world: ContainerWorld, { options }: CommandInput): Promise<CommandResult> {
  const isWanted = parseVolumeFilters(options.list('filter'), 'list');
  const ctx = await openContainers(world);
  const listed = asksForUsers(options.list('filter'))
    ? await listUsedVolumes(ctx, world.signal)
    : listAllVolumes(ctx).map((volume) => ({ volume, users: [] }));
  const rows = listed.filter(isWanted);
  const stdout = renderList({
    format: options.string('format'),
    quiet: options.bool('quiet'),
    quietFormat: '{{.Name}}',
    defaultTable: 'table {{.Driver}}\t{{.Name}}',
    rows,
    columns: COLUMNS,
    label: ({ volume }, name) => volume.labels[name] ?? '',
    typeName: '*formatter.volumeContext',
  });
  return { stdout };
}

const unknown = (header: string) => ({ header, value: () => 'N/A' });

/** docker/cli: cli/command/formatter/volume.go. */
const COLUMNS: Readonly<Record<string, Column<ListedVolume>>> = {
  Availability: unknown('AVAILABILITY'),
  Driver: { header: 'DRIVER', value: () => 'local' },
  Group: unknown('GROUP'),
  Labels: {
    header: 'LABELS',
    value: ({ volume }) =>
      Object.entries(volume.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
  },
  Links: unknown('LINKS'),
  Mountpoint: { header: 'MOUNTPOINT', value: ({ volume }) => volume.mountpoint },
  Name: { header: 'VOLUME NAME', value: ({ volume }) => volume.name },
  Scope: { header: 'SCOPE', value: () => 'local' },
  Size: unknown('SIZE'),
  Status: unknown('STATUS'),
};
