import type { ContainerContext } from '../../../container/context.ts';
import { listContainers } from '../../../container/list.ts';
import { type ListFilters, matchesHealth, matchesView, parseListFilters } from '../../../container/list-filter.ts';
import { missingNamespace, resolveContainer } from '../../../container/resolve.ts';
import type { ContainerView } from '../../../container/view.ts';
import { HealthctlError, hasCode } from '../../../lib/errors.ts';
import type { Command, CommandInput, CommandResult, ParsedOptions } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { type ContainerRow, containerColumns, labelOf } from '../../format/container-columns.ts';
import { renderList } from '../../format/table.ts';
import { staleHealthWarning } from '../../stale-health.ts';

/** `healthctl ps`, as Docker's. */
export const list: Command = {
  usage: '[OPTIONS]',
  options: [
    { name: 'all', short: 'a', type: 'bool', help: 'Show all containers (default shows just running)' },
    {
      name: 'filter',
      short: 'f',
      type: 'list',
      value: 'filter',
      help: 'Filter output based on conditions provided, e.g. name=REGEXP, status=exited, label=KEY[=VALUE], health=none|starting|healthy|unhealthy',
      check: (text) => (text.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
    },
    {
      name: 'format',
      type: 'string',
      help: "Format output: 'table', 'table TEMPLATE', 'json', or a Go template",
    },
    {
      name: 'last',
      short: 'n',
      type: 'int',
      default: -1,
      help: 'Show n last created containers (includes all states)',
    },
    { name: 'latest', short: 'l', type: 'bool', help: 'Show the latest created container (includes all states)' },
    { name: 'no-trunc', type: 'bool', help: "Don't truncate output" },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only display container IDs' },
    { name: 'size', short: 's', type: 'bool', help: 'Display total file sizes' },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => runList(world, input),
};

async function runList(world: ContainerWorld, { options }: CommandInput): Promise<CommandResult> {
  const filters = parseListFilters(options.list('filter'));
  const format = options.string('format');
  const isQuiet = options.bool('quiet');
  if (isQuiet && format) world.log.warn('Ignoring custom format, because both --format and --quiet are set.');
  const ctx = await openContainers(world);
  const rows = await findRows(world, ctx, { options, filters });
  let tellsHealth = false;
  const nowMs = world.clock.now();
  const onHealth = (): void => {
    tellsHealth = true;
  };
  const stdout = renderRows({
    format,
    quiet: isQuiet,
    defaultTable: options.bool('size') ? `${TABLE}\t{{.Size}}` : TABLE,
    rows,
    columns: containerColumns({ noTrunc: options.bool('no-trunc'), nowMs, onHealth }),
    label: labelOf,
    typeName: '*formatter.ContainerContext',
  });
  const stale = tellsHealth ? staleHealthWarning(rows, nowMs) : undefined;
  const elsewhere = rows.length === 0 ? await warnOfNamespace(ctx, world.signal) : undefined;
  return { stdout, warnings: [stale, elsewhere].filter((warning) => warning !== undefined) };
}

const TABLE = 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';

interface RowRequest {
  readonly options: ParsedOptions;
  readonly filters: ListFilters;
}

async function findRows(
  { signal }: ContainerWorld,
  ctx: ContainerContext,
  { options, filters }: RowRequest,
): Promise<readonly ContainerRow[]> {
  const last = options.int('last') ?? -1;
  const limit = options.bool('latest') && last === -1 ? 1 : last;
  const isAll = options.bool('all') || limit > 0 || filters.has('status');
  const isInTime = await createdBetween(ctx, filters, signal);
  const keep = (view: ContainerView): boolean =>
    (isAll || view.state === 'running' || view.state === 'paused') && isInTime(view) && matchesView(filters, view);
  const listed = await listContainers(ctx, { keep, signal });
  const wanted = listed.filter(({ health }) => matchesHealth(filters, health));
  const rows = limit > 0 ? wanted.slice(0, limit) : wanted;
  if (!wantsSizes(options)) return rows;
  const { openContainerSizes } = await import('../../../container/sizes.ts');
  const sizesOf = openContainerSizes(ctx, { signal });
  return Promise.all(rows.map(async (row) => ({ ...row, sizes: await sizesOf(row.view.record) })));
}

/** Measuring is costly: only when it was asked for, or the template has it, and not `--size=false`. */
function wantsSizes(options: ParsedOptions): boolean {
  if (options.given('size')) return options.bool('size');
  return !options.bool('quiet') && /\.Size\b/.test(options.string('format') ?? '');
}

/** The filters `before` and `since`: created before, or after, a container. Throws NOT_FOUND for one that is not there. */
async function createdBetween(
  { containerd }: ContainerContext,
  filters: ListFilters,
  signal: AbortSignal,
): Promise<(view: ContainerView) => boolean> {
  const createdAt = async (key: 'before' | 'since'): Promise<number | undefined> => {
    const name = filters.get(key)?.at(-1);
    return name === undefined ? undefined : (await resolveContainer(containerd, name, { signal })).createdAtMs;
  };
  const [before, since] = [await createdAt('before'), await createdAt('since')];
  return ({ record }) =>
    (before === undefined || record.createdAtMs < before) && (since === undefined || record.createdAtMs > since);
}

/** Docker's `ps` checks its template itself: other words than everywhere else, and exit 1. */
function renderRows(request: Parameters<typeof renderList<ContainerRow>>[0]): string {
  try {
    return renderList(request);
  } catch (error) {
    if (!hasCode(error, 'USAGE')) throw error;
    const text = error.message.replace(/^template parsing error: /, '');
    const step = /: executing "/.test(text) ? 'execute' : 'parse';
    throw new HealthctlError('INVALID', `failed to ${step} template: ${text}`, { cause: error });
  }
}

/** An empty list is often that of the wrong namespace. A containerd without any namespace is new, and nothing to warn of. */
async function warnOfNamespace({ containerd }: ContainerContext, signal: AbortSignal): Promise<string | undefined> {
  const missing = await missingNamespace(containerd, { signal });
  return missing?.endsWith('it has: none') ? undefined : missing;
}
