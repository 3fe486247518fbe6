import { humanDuration, humanSize, localTimestamp } from '../../../go/units.ts';
import { shortId } from '../../../image/digest-text.ts';
import { type ImageFilter, type ImageSummary, listImages } from '../../../image/list.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { listFormatOption, noTruncOption } from '../../flags/format.ts';
import { BOOLEAN, IMAGE, LABEL } from '../../flags/values.ts';
import { type Column, renderList } from '../../format/table.ts';

/** `healthctl images`, as Docker's. */
export const list: Command = {
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  options: [
    { name: 'all', short: 'a', type: 'bool', help: 'Show all images; there are no intermediate ones' },
    { name: 'digests', type: 'bool', help: 'Show digests' },
    {
      name: 'filter',
      short: 'f',
      type: 'list',
      value: 'filter',
      help: 'Filter output based on conditions provided: reference=PATTERN, dangling=true|false, label=KEY[=VALUE]',
      check: (text) => (text.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
      complete: { after: { 'dangling=': BOOLEAN, 'label=': LABEL, 'reference=': IMAGE } },
    },
    listFormatOption,
    noTruncOption,
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only show image IDs' },
  ],
  args: { min: 0, max: 1 },
  complete: [IMAGE],
  run: (world, input) => runList(world, input),
};

type ListWorld = Pick<World, 'containerd' | 'clock' | 'settings' | 'signal'>;

async function runList(world: ListWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const filter = parseFilters([...options.list('filter'), ...args.map((name) => `reference=${name}`)]);
  const rows = await listImages(
    { containerd: await world.containerd() },
    { snapshotter: world.settings.snapshotter, filter, signal: world.signal },
  );
  const created = `{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}`;
  const digest = options.bool('digests') ? '{{.Digest}}\t' : '';
  const stdout = renderList({
    format: options.string('format'),
    quiet: options.bool('quiet'),
    defaultTable: `table {{.Repository}}\t{{.Tag}}\t${digest}{{.ID}}\t${created}\t{{.Size}}`,
    rows,
    columns: columnsOf({ noTrunc: options.bool('no-trunc'), nowMs: world.clock.now() }),
    typeName: '*formatter.imageContext',
  });
  return { stdout };
}

/** Throws INVALID with Docker's texts. */
function parseFilters(filters: readonly string[]): ImageFilter {
  const values = (key: string) =>
    filters.filter((filter) => filter.startsWith(`${key}=`)).map((filter) => filter.slice(key.length + 1));
  const unknown = filters.map((filter) => filter.split('=', 1)[0] ?? '').find((key) => !FILTERS.has(key));
  if (unknown !== undefined) throw new HealthctlError('INVALID', `invalid filter '${unknown}'`);
  const dangling = values('dangling').at(-1);
  if (dangling !== undefined && !/^(true|false|0|1)$/.test(dangling)) {
    throw new HealthctlError('INVALID', `invalid filter 'dangling=[${dangling}]'`);
  }
  return {
    references: values('reference'),
    labels: values('label'),
    ...(dangling === undefined ? {} : { dangling: dangling === 'true' || dangling === '1' }),
  };
}

const FILTERS: ReadonlySet<string> = new Set(['reference', 'dangling', 'label']);

function columnsOf({ noTrunc, nowMs }: { noTrunc: boolean; nowMs: number }): Record<string, Column<ImageSummary>> {
  const createdMs = ({ created }: ImageSummary) => Date.parse(created ?? '') || undefined;
  const unknown = (header: string) => ({ header, value: () => 'N/A' });
  return {
    Containers: unknown('CONTAINERS'),
    CreatedAt: {
      header: 'CREATED AT',
      value: (row) => {
        const ms = createdMs(row);
        return ms === undefined ? '' : localTimestamp(ms);
      },
    },
    CreatedSince: {
      header: 'CREATED',
      value: (row) => {
        const ms = createdMs(row);
        return ms === undefined ? '' : `${humanDuration(nowMs - ms)} ago`;
      },
    },
    Digest: { header: 'DIGEST', value: ({ digest }) => digest },
    ID: { header: 'IMAGE ID', value: ({ id }) => (noTrunc ? id : shortId(id)) },
    Repository: { header: 'REPOSITORY', value: ({ repository }) => repository ?? '<none>' },
    SharedSize: unknown('SHARED SIZE'),
    Size: { header: 'SIZE', value: ({ size }) => humanSize(size, 3) },
    Tag: { header: 'TAG', value: ({ tag }) => tag ?? '<none>' },
    UniqueSize: unknown('UNIQUE SIZE'),
  };
}
