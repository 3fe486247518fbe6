import type { ContainerContext } from '../container/context.ts';
import { type ListedContainer, listContainers } from '../container/list.ts';
import { createdBetween, SHOWN_STATES } from '../container/list-selection.ts';
import { missingNamespace } from '../container/resolve.ts';
import type { ContainerSummary } from '../daemon/api/answers.ts';
import type { Sent } from '../daemon/api/client.ts';
import { TemplateRunError } from '../go/template/failure.ts';
import { isTemplateError } from '../go/template/template.ts';
import type { NamespaceDirs } from '../lib/dirs.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { type ListFilters, matchesHealth, matchesView, parseListFilters } from '../record/list-filter.ts';
import type { ContainerView } from '../record/view.ts';
import type { CommandInput, CommandResult, ParsedOptions } from './command.ts';
import { type ContainerWorld, openContainers, worldIn } from './context.ts';
import { type ContainerRow, containerColumns, labelOf } from './format/container-columns.ts';
import { renderList } from './format/table.ts';
import { listedFromAnswer, namespaceDirsOf } from './monitor/list.ts';
import { whyUnmonitored } from './monitor/open.ts';
import { type HealthAge, healthAgeOf, staleHealthWarning } from './stale-health.ts';

/** The source of `ps`'s containers. */
export interface ListSource {
  /** Sends the request for a namespace to the monitor; undefined if containerd is to be asked. */
  readonly ask: ((namespace: string) => Promise<Sent<readonly ContainerSummary[]> | undefined>) | undefined;
  /** Whether to measure the containers. */
  readonly sizes: boolean;
}

/** What `ps` prints. */
export async function runList(
  world: ContainerWorld,
  { options }: CommandInput,
  source: ListSource,
): Promise<CommandResult> {
  const filters = parseListFilters(options.list('filter'));
  const format = options.string('format');
  const isQuiet = options.bool('quiet');
  if (isQuiet && format) world.log.warn('Ignoring custom format, because both --format and --quiet are set.');
  const isEverywhere = options.bool('all-namespaces');
  const dirsOf = (namespace: string) => namespaceDirsOf(world, namespace);
  const lists = await listsOf(world, { options, filters }, source);
  const rows = limited(
    isEverywhere ? newestFirst(lists.flatMap((list) => list.rows)) : (lists[0]?.rows ?? []),
    limitOf(options),
  );
  let tellsHealth = false;
  const nowMs = world.clock.now();
  const onHealth = (): void => {
    tellsHealth = true;
  };
  const stdout = renderRows({
    format,
    quiet: isQuiet,
    defaultTable: `${isEverywhere ? TABLE.replace('table ', 'table {{.Namespace}}\t') : TABLE}${options.bool('size') ? '\t{{.Size}}' : ''}`,
    rows,
    columns: containerColumns({ noTrunc: options.bool('no-trunc'), nowMs, onHealth, namespaceDirsOf: dirsOf }),
    label: labelOf,
    typeName: '*formatter.ContainerContext',
  });
  const stale = tellsHealth ? await staleWarnings(world, lists, { rows, nowMs }) : [];
  const elsewhere = rows.length === 0 && !isEverywhere ? await warnOfNamespace(world) : undefined;
  return { stdout, warnings: [...stale, ...(elsewhere === undefined ? [] : [elsewhere])] };
}

const TABLE = 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';

interface RowRequest {
  readonly options: ParsedOptions;
  readonly filters: ListFilters;
}

/** The matching containers of one namespace, the newest first. */
interface NamespaceList {
  readonly namespace: string;
  /** Whether they come from a monitor. */
  readonly isFromMonitor: boolean;
  readonly rows: readonly ContainerRow[];
}

async function listsOf(
  world: ContainerWorld,
  request: RowRequest,
  { ask, sizes }: ListSource,
): Promise<readonly NamespaceList[]> {
  const { signal, settings, log } = world;
  const { options, filters } = request;
  const listOf = async (namespace: string, isInTime?: (view: ContainerView) => boolean): Promise<NamespaceList> => {
    const isKept = viewFilterOf(options, filters, namespaceDirsOf(world, namespace));
    const answer = await (await ask?.(namespace))?.answer();
    const fromMonitor =
      answer && listedFromAnswer({ log, settings: { ...settings, namespace } }, answer.value).filter(isKept);
    const keep = (view: ContainerView): boolean => (isInTime?.(view) ?? true) && isKept({ view });
    const listed = fromMonitor ?? (await listContainers(await openIn(world, namespace), { keep, signal }));
    const wanted = listed.filter(({ health }) => matchesHealth(filters, health)).map((row) => ({ ...row, namespace }));
    const rows = limited(wanted, limitOf(options));
    return {
      namespace,
      isFromMonitor: fromMonitor !== undefined,
      rows: sizes ? await measured(world, namespace, rows) : rows,
    };
  };
  const isTimed = filters.has('before') || filters.has('since');
  const isInTime = isTimed ? await createdBetween(await openContainers(world), filters, signal) : undefined;
  if (!options.bool('all-namespaces')) return [await listOf(settings.namespace, isInTime)];
  const namespaces = await (await world.containerd()).host.namespaces({ signal });
  return Promise.all(namespaces.map((namespace) => listOf(namespace, isInTime)));
}

async function openIn(world: ContainerWorld, namespace: string): Promise<ContainerContext> {
  const ctx = await openContainers(world);
  return namespace === ctx.containerd.namespace ? ctx : openContainers(worldIn(world, namespace));
}

async function measured(
  world: ContainerWorld,
  namespace: string,
  rows: readonly ContainerRow[],
): Promise<readonly ContainerRow[]> {
  const { openContainerSizes } = await import('../container/sizes.ts');
  const sizesOf = openContainerSizes(await openIn(world, namespace), { signal: world.signal });
  return Promise.all(rows.map(async (row) => ({ ...row, sizes: await sizesOf(row.view.record) })));
}

const newestFirst = (rows: readonly ContainerRow[]): readonly ContainerRow[] =>
  rows.toSorted((a, b) => b.view.record.createdAtMs - a.view.record.createdAtMs);

/** Warnings about the health shown: of containers that no monitor checks, and of overdue checks. */
async function staleWarnings(
  world: ContainerWorld,
  lists: readonly NamespaceList[],
  { rows, nowMs }: { readonly rows: readonly ContainerRow[]; readonly nowMs: number },
): Promise<readonly string[]> {
  const instant = { nowMs, bootMs: world.clock.boot() };
  /** Grouped by the reason why they are not checked. */
  const agesBy = new Map<string | undefined, HealthAge[]>();
  for (const { namespace, isFromMonitor } of lists) {
    const shown = rows.filter((row) => row.namespace === namespace).flatMap((row) => healthAgeOf(row, instant) ?? []);
    if (shown.length === 0) continue;
    const why = isFromMonitor ? undefined : await whyUnmonitored(world, namespace);
    agesBy.set(why, [...(agesBy.get(why) ?? []), ...shown]);
  }
  return [...agesBy]
    .map(([why, ages]) => staleHealthWarning(ages, { nowMs, whyUnmonitored: why }))
    .filter((warning) => warning !== undefined);
}

/** `--last n`, also as `--latest`; −1 for all. */
function limitOf(options: ParsedOptions): number {
  const last = options.int('last') ?? -1;
  return options.bool('latest') && last === -1 ? 1 : last;
}

/** Selects containers by everything except their health, which is read later, for the selected ones. */
function viewFilterOf(
  options: ParsedOptions,
  filters: ListFilters,
  namespaceDirs: NamespaceDirs,
): (row: Pick<ListedContainer, 'view'>) => boolean {
  const isAll = options.bool('all') || limitOf(options) > 0 || filters.has('status');
  return ({ view }) => (isAll || SHOWN_STATES.has(view.state)) && matchesView(filters, view, namespaceDirs);
}

const limited = (rows: readonly ContainerRow[], limit: number): readonly ContainerRow[] =>
  limit > 0 ? rows.slice(0, limit) : rows;

/** Docker's `ps` checks its template itself: with other error texts than elsewhere, and exit 1. */
function renderRows(request: Parameters<typeof renderList<ContainerRow>>[0]): string {
  try {
    return renderList(request);
  } catch (error) {
    if (!hasCode(error, 'USAGE')) throw error;
    const failure = isTemplateError(error.cause) ? error.cause : error;
    const step = failure instanceof TemplateRunError ? 'execute' : 'parse';
    throw new HealthctlError('INVALID', `failed to ${step} template: ${failure.message}`, { cause: error });
  }
}

/** An empty list often means the wrong namespace. A containerd without any namespace is new, and needs no warning. */
async function warnOfNamespace(world: ContainerWorld): Promise<string | undefined> {
  const { signal } = world;
  const missing = await missingNamespace(await world.containerd(), { signal });
  return missing?.isNew ? undefined : missing?.text;
}
