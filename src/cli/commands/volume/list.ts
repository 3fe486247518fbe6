import { asksForSize, asksForUsers, isFilterText, parseVolumeFilters } from '../../../container/volumes/filter.ts';
import { type ListedVolume, listVolumesWith } from '../../../container/volumes/use.ts';
import { binarySize } from '../../../go/units.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { listFormatOption } from '../../flags/format.ts';
import { BOOLEAN, LABEL, VOLUME } from '../../flags/values.ts';
import { type Column, renderList } from '../../format/table.ts';

/** `healthctl volume ls`: Docker's, with nerdctl's sizes. */
export const list: Command = {
  usage: '[OPTIONS]',
  options: [
    {
      name: 'filter',
      short: 'f',
      type: 'list',
      value: 'filter',
      help: 'Provide filter values: dangling=true|false, driver=local, label=KEY[=VALUE], name=REGEXP, size>=BYTES',
      check: (text) => (isFilterText(text) ? undefined : 'bad format of filter (expected name=value)'),
      complete: {
        after: {
          'dangling=': BOOLEAN,
          'driver=': { words: ['local'] },
          'label=': LABEL,
          'name=': VOLUME,
          'size>=': {},
          'size<=': {},
        },
      },
    },
    listFormatOption,
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only display volume names' },
    { name: 'size', short: 's', type: 'bool', help: 'Display the directories and sizes of volumes' },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => runList(world, input),
};

async function runList(world: ContainerWorld, { options }: CommandInput): Promise<CommandResult> {
  const filters = options.list('filter');
  const isWanted = parseVolumeFilters(filters, 'list');
  const listed = await listVolumesWith(await openContainers(world), {
    users: asksForUsers(filters),
    size: options.bool('size') || asksForSize(filters),
    signal: world.signal,
  });
  const rows = listed.filter(isWanted);
  const stdout = renderList({
    format: options.string('format'),
    quiet: options.bool('quiet'),
    quietFormat: '{{.Name}}',
    defaultTable: options.bool('size') ? SIZE_TABLE : 'table {{.Driver}}\t{{.Name}}',
    rows,
    columns: options.bool('size') ? { ...COLUMNS, ...SIZE_COLUMNS } : COLUMNS,
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

const SIZE_TABLE = 'table {{.Driver}}\t{{.Name}}\t{{.Mountpoint}}\t{{.Size}}';

/** nerdctl's heads and units (pkg/cmd/volume/list.go). */
const SIZE_COLUMNS: Readonly<Record<string, Column<ListedVolume>>> = {
  Mountpoint: { header: 'DIRECTORY', value: ({ volume }) => volume.mountpoint },
  Size: { header: 'SIZE', value: ({ size }) => binarySize(size ?? 0) },
};
