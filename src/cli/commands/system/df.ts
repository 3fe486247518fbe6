import { type DiskUsage, readDiskUsage } from '../../../container/disk-usage.ts';
import { humanDuration, humanSize } from '../../../go/units.ts';
import { shortId } from '../../../image/digest-text.ts';
import { familiarRepository, tryParseReference } from '../../../image/reference.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { listFormatOption } from '../../flags/format.ts';
import { containerColumns } from '../../format/container-columns.ts';
import { type Column, renderList } from '../../format/table.ts';

/** `healthctl system df`: Docker's. */
export const df: Command = {
  usage: '[OPTIONS]',
  description: 'Show how much disk space images, containers and volumes take, and how much of it could be freed.',
  options: [
    listFormatOption,
    { name: 'verbose', short: 'v', type: 'bool', help: 'Show detailed information on space usage' },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => runDf(world, input),
};

async function runDf(world: ContainerWorld & Pick<World, 'clock'>, input: CommandInput): Promise<CommandResult> {
  const { options } = input;
  const format = options.string('format');
  if (options.bool('verbose') && format)
    throw new HealthctlError('USAGE', '--format and --verbose exclude each other', { exitCode: 1 });
  const ctx = await openContainers(world);
  const usage = await readDiskUsage(ctx, new Set(['images', 'containers', 'volumes']), world.signal);
  if (options.bool('verbose')) return { stdout: verboseText(world, usage, ctx.containerd.namespace) };
  const stdout = renderList({
    format,
    defaultTable: 'table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
    rows: linesOf(usage),
    columns: COLUMNS,
    typeName: '*formatter.diskUsageImagesContext',
  });
  return { stdout };
}

/** A line of the table. Sizes are bytes. */
interface Line {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly size: number;
  readonly reclaimable: number;
}

/** docker/cli: cli/command/formatter/disk_usage.go. */
const COLUMNS: Readonly<Record<string, Column<Line>>> = {
  Active: { header: 'ACTIVE', value: ({ active }) => `${active}` },
  Reclaimable: {
    header: 'RECLAIMABLE',
    value: ({ size, reclaimable }) => {
      const share = size > 0 ? ` (${Math.floor((reclaimable * 100) / size)}%)` : '';
      return `${humanSize(reclaimable)}${share}`;
    },
  },
  Size: { header: 'SIZE', value: ({ size }) => humanSize(size) },
  TotalCount: { header: 'TOTAL', value: ({ total }) => `${total}` },
  Type: { header: 'TYPE', value: ({ type }) => type },
};

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

function linesOf({ layersSize, images, containers, volumes }: DiskUsage): readonly Line[] {
  const used = images.filter((image) => image.containers > 0);
  const isUp = ({ view: { state } }: DiskUsage['containers'][number]): boolean =>
    state === 'running' || state === 'paused' || state === 'restarting';
  const written = (rows: DiskUsage['containers']): number => sum(rows.map(({ sizes }) => sizes.SizeRw));
  const kept = (rows: DiskUsage['volumes']): number => sum(rows.map(({ size = 0 }) => size));
  return [
    {
      type: 'Images',
      total: images.length,
      active: used.length,
      size: layersSize,
      reclaimable: Math.max(0, layersSize - sum(used.map(({ size, sharedSize = 0 }) => size - sharedSize))),
    },
    {
      type: 'Containers',
      total: containers.length,
      active: containers.filter(isUp).length,
      size: written(containers),
      reclaimable: written(containers.filter((row) => !isUp(row))),
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: volumes.filter(({ users }) => users.length > 0).length,
      size: kept(volumes),
      reclaimable: kept(volumes.filter(({ users }) => users.length === 0)),
    },
    { type: 'Build Cache', total: 0, active: 0, size: 0, reclaimable: 0 },
  ];
}

function verboseText({ clock }: Pick<World, 'clock'>, usage: DiskUsage, namespace: string): string {
  const nowMs = clock.now();
  const images = renderList({
    format: undefined,
    defaultTable:
      'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}',
    rows: usage.images,
    columns: imageColumns(nowMs),
  });
  const containers = renderList({
    format: undefined,
    defaultTable:
      'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}',
    rows: usage.containers.map((row) => ({ ...row, namespace, sizes: { ...row.sizes, SizeRootFs: 0 } })),
    columns: containerColumns({ noTrunc: false, nowMs, onHealth: () => undefined }),
  });
  const volumes = renderList({
    format: undefined,
    defaultTable: 'table {{.Name}}\t{{.Links}}\t{{.Size}}',
    rows: usage.volumes,
    columns: VOLUME_COLUMNS,
  });
  return `Images space usage:\n\n${images}\nContainers space usage:\n\n${containers}\nLocal Volumes space usage:\n\n${volumes}\nBuild cache usage: 0B\n`;
}

const VOLUME_COLUMNS: Readonly<Record<string, Column<DiskUsage['volumes'][number]>>> = {
  Links: { header: 'LINKS', value: ({ users }) => `${users.length}` },
  Name: { header: 'VOLUME NAME', value: ({ volume }) => volume.name },
  Size: { header: 'SIZE', value: ({ size = 0 }) => humanSize(size, 3) },
};

function imageColumns(nowMs: number): Readonly<Record<string, Column<DiskUsage['images'][number]>>> {
  const reference = (tags: readonly string[]) => (tags[0] === undefined ? undefined : tryParseReference(tags[0]));
  return {
    Containers: { header: 'CONTAINERS', value: ({ containers }) => `${containers}` },
    CreatedSince: {
      header: 'CREATED',
      value: ({ createdMs }) => (createdMs <= 0 ? 'N/A' : `${humanDuration(nowMs - createdMs)} ago`),
    },
    ID: { header: 'IMAGE ID', value: ({ id }) => shortId(id) },
    Repository: {
      header: 'REPOSITORY',
      value: ({ repoTags }) => {
        const named = reference(repoTags);
        return named ? familiarRepository(named) : '<none>';
      },
    },
    SharedSize: { header: 'SHARED SIZE', value: ({ sharedSize = 0 }) => humanSize(sharedSize, 3) },
    Size: { header: 'SIZE', value: ({ size }) => humanSize(size, 3) },
    Tag: { header: 'TAG', value: ({ repoTags }) => reference(repoTags)?.tag ?? '<none>' },
    UniqueSize: { header: 'UNIQUE SIZE', value: ({ size, sharedSize = 0 }) => humanSize(size - sharedSize, 3) },
  };
}
