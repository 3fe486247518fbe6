import type { ContainerContext } from '../container/context.ts';
import { type ListedContainer, listContainers } from '../container/list.ts';
import { type ListFilters, matchesHealth, matchesView, parseListFilters } from '../container/list-filter.ts';
import { missingNamespace, resolveContainer } from '../container/resolve.ts';
import type { ContainerView } from '../container/view.ts';
import type { Sent } from '../daemon/client.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import type { CommandInput, CommandResult, ParsedOptions } from './command.ts';
import { type ContainerWorld, openContainers } from './context.ts';
import { type ContainerRow, containerColumns, labelOf } from './format/container-columns.ts';
import { renderList } from './format/table.ts';
import { isMonitored, listedFromAnswer } from './monitor-list.ts';
import { staleHealthWarning } from './stale-health.ts';
import { usesTimers } from './timers.ts';

/**
 * What `ps` prints.
 *
 * @param how.sent the question to the monitor; undefined where containerd is to be asked
 * @param how.sizes whether the containers are to be measured
 */
export async function runList(
  world: ContainerWorld,
  { options }: CommandInput,
  how: { readonly sent: Sent | undefined; readonly sizes: boolean },
): Promise<CommandResult> {
  const filters = parseListFilters(options.list('filter'));
  const format = options.string('format');
  const isQuiet = options.bool('quiet');
  if (isQuiet && format) world.log.warn('Ignoring custom format, because both --format and --quiet are set.');
  const answer = await how.sent?.answer();
  const known = answer && listedFromAnswer(world, answer);
  const rows = known
    ? selectRows(known.filter(keepOf(options, filters)), { options, filters })
    : await findRows(world, await openContainers(world), { options, filters, sizes: how.sizes });
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
  { options, filters, sizes }: RowRequest & { readonly sizes: boolean },
): Promise<readonly ContainerRow[]> {
  const isInTime = await createdBetween(ctx, filters, signal);
  const isKept = keepOf(options, filters);
  const keep = (view: ContainerView): boolean => isInTime(view) && isKept({ view });
  const rows = selectRows(await listContainers(ctx, { keep, signal }), { options, filters });
  if (!sizes) return rows;
  const { openContainerSizes } = await import('../container/sizes.ts');
  const sizesOf = openContainerSizes(ctx, { signal });
  return Promise.all(rows.map(async (row) => ({ ...row, sizes: await sizesOf(row.view.record) })));
}

/** `--last n`, also as `--latest`; −1 for all. */
function limitOf(options: ParsedOptions): number {
  const last = options.int('last') ?? -1;
  return options.bool('latest') && last === -1 ? 1 : last;
}

/** Of those that are listed without `--all`. */
const SHOWN_STATES: ReadonlySet<ContainerView['state']> = new Set(['running', 'paused', 'restarting']);

/** Which containers are wanted, as far as can be said before their health is read. */
function keepOf(options: ParsedOptions, filters: ListFilters): (row: Pick<ListedContainer, 'view'>) => boolean {
  const isAll = options.bool('all') || limitOf(options) > 0 || filters.has('status');
  return ({ view }) => (isAll || SHOWN_STATES.has(view.state)) && matchesView(filters, view);
}

function selectRows(listed: readonly ListedContainer[], { options, filters }: RowRequest): readonly ListedContainer[] {
  const wanted = listed.filter(({ health }) => matchesHealth(filters, health));
  const limit = limitOf(options);
  return limit > 0 ? wanted.slice(0, limit) : wanted;
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
