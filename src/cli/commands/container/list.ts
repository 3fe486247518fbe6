import type { ContainerContext } from '../../../container/context.ts';
import { type ListedContainer, listContainers } from '../../../container/list.ts';
import { type ListFilters, matchesHealth, matchesView, parseListFilters } from '../../../container/list-filter.ts';
import { missingNamespace, resolveContainer } from '../../../container/resolve.ts';
import type { ContainerView } from '../../../container/view.ts';
import { HealthctlError, hasCode } from '../../../lib/errors.ts';
import type { Command, CommandInput, CommandResult, ParsedOptions } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { type ContainerRow, containerColumns, labelOf } from '../../format/container-columns.ts';
import { renderList } from '../../format/table.ts';
import { isMonitored, listByMonitor } from '../../monitor-list.ts';
import { staleHealthWarning } from '../../stale-health.ts';
import { usesTimers } from '../../timers.ts';

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
  // Measuring, and telling when another container was made, takes containerd itself.
  const isSimple = !wantsSizes(options) && !filters.has('before') && !filters.has('since');
  const known = isSimple ? await listByMonitor(world) : undefined;
  const rows = known
    ? selectRows(known.filter(keepOf(options, filters)), { options, filters })
    : await findRows(world, await openContainers(world), { options, filters });
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
  const isStale = tellsHealth && !known && !(await isMonitored(world));
  const stale = isStale && !usesTimers(world) ? staleHealthWarning(rows, nowMs) : undefined;
  const elsewhere = rows.length === 0 ? await warnOfNamespace(world) : undefined;
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
  const isInTime = await createdBetween(ctx, filters, signal);
  const isKept = keepOf(options, filters);
  const keep = (view: ContainerView): boolean => isInTime(view) && isKept({ view });
  const rows = selectRows(await listContainers(ctx, { keep, signal }), { options, filters });
  if (!wantsSizes(options)) return rows;
  const { openContainerSizes } = await import('../../../container/sizes.ts');
  const sizesOf = openContainerSizes(ctx, { signal });
  return Promise.all(rows.map(async (row) => ({ ...row, sizes: await sizesOf(row.view.record) })));
}

/** `--last n`, also as `--latest`; −1 for all. */
function limitOf(options: ParsedOptions): number {
  const last = options.int('last') ?? -1;
  return options.bool('latest') && last === -1 ? 1 : last;
}

/** Which containers are wanted, as far as can be said before their health is read. */
function keepOf(options: ParsedOptions, filters: ListFilters): (row: Pick<ListedContainer, 'view'>) => boolean {
  const isAll = options.bool('all') || limitOf(options) > 0 || filters.has('status');
  return ({ view }) => (isAll || view.state === 'running' || view.state === 'paused') && matchesView(filters, view);
}

function selectRows(listed: readonly ListedContainer[], { options, filters }: RowRequest): readonly ListedContainer[] {
  const wanted = listed.filter(({ health }) => matchesHealth(filters, health));
  const limit = limitOf(options);
  return limit > 0 ? wanted.slice(0, limit) : wanted;
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
async function warnOfNamespace(world: ContainerWorld): Promise<string | undefined> {
  const { signal } = world;
  const missing = await missingNamespace(await world.containerd(), { signal });
  return missing?.endsWith('it has: none') ? undefined : missing;
}
