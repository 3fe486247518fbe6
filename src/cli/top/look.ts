import { type ListedContainer, listContainers } from '../../container/list.ts';
import type { DaemonStatus } from '../../daemon/api/answers.ts';
import { REQUESTS } from '../../daemon/api/requests.ts';
import { withDefaults } from '../../health/config.ts';
import { type ListFilters, matchesHealth, matchesView } from '../../record/list-filter.ts';
import { type ContainerWorld, openContainers, worldIn } from '../context.ts';
import { listedFromAnswer, namespaceDirsOf } from '../monitor/list.ts';
import { NO_MONITOR_RUNS, openMonitor, whyUnmonitored } from '../monitor/open.ts';
import { flushHistory } from '../past.ts';
import type { Checkers, Look, TopRow } from './model.ts';
import { openTopPast, type TopPast } from './past.ts';
import { Beats, beatOf, rowOf, Sinces } from './row.ts';

export interface LookOptions {
  readonly isEverywhere: boolean;
  readonly filters: ListFilters;
  /** Time between two looks: a container that is checked more often needs the history. */
  readonly everyMs: number;
}

/** Looks at all containers, again and again. */
export interface Looker {
  /** Throws what `ps` throws. */
  look(signal: AbortSignal): Promise<Look>;
  readonly past: TopPast;
}

/** The bar of a container that is checked every half minute, filled from the history. */
const PAST_MS = 32 * 60_000;
/** How often the history is read again for containers that are checked more often than we look. */
const REREAD_MS = 10_000;
/** What a reread covers: the monitor writes every five seconds. */
const REREAD_REACH_MS = 3 * REREAD_MS;
/** How often it is asked who makes the checks. */
const CHECKERS_MS = 10_000;

const NS_PER_MS = 1e6;

export function createLooker(world: ContainerWorld, options: LookOptions): Looker {
  const { clock } = world;
  const [sinces, beats, past] = [new Sinces(), new Beats(), openTopPast(world)];
  let readAtMs: number | undefined;
  let checkers: { readonly value: Checkers; readonly isFromMonitor: boolean; readonly atMs: number } | undefined;
  let status: StatusAt | undefined;
  let before: ReadonlyMap<string, TopRow> = new Map();

  /** A fresh object of settings: a monitor that did not answer once may answer now. */
  const worldOfLook = (signal: AbortSignal): ContainerWorld => ({ ...world, signal, settings: { ...world.settings } });
  const readPast = async (own: ContainerWorld, listed: readonly Listed[]): Promise<void> => {
    const nowMs = clock.monotonic();
    if (readAtMs === undefined) {
      await flushHistory(own);
      past.seedSinces(sinces);
      past.addBeats(beats, PAST_MS);
    } else if (nowMs - readAtMs >= REREAD_MS && listed.some((one) => isFast(one, options.everyMs)))
      past.addBeats(beats, REREAD_REACH_MS);
    else return;
    readAtMs = nowMs;
  };
  const checkersOf = async (own: ContainerWorld, isFromMonitor: boolean): Promise<Checkers> => {
    const nowMs = clock.monotonic();
    const isFresh = checkers?.isFromMonitor === isFromMonitor && nowMs - checkers.atMs < CHECKERS_MS;
    if (checkers && isFresh) return checkers.value;
    const answer = isFromMonitor ? await openMonitor(own).ask(REQUESTS.status, own.signal) : undefined;
    const present = answer && { status: answer.value, atMs: nowMs };
    const value = present ? monitorText(present, status) : await unmonitoredText(own);
    status = present;
    checkers = { value, isFromMonitor, atMs: nowMs };
    return value;
  };
  return {
    past,
    look: async (signal) => {
      const own = worldOfLook(signal);
      const lists = await listAll(own, options);
      const listed = lists.flatMap((list) => list.listed);
      await readPast(own, listed);
      const present = sinces.filled(
        listed.map(({ row }) => row),
        clock.now(),
      );
      const isFromMonitor = lists.length > 0 && lists.every((list) => list.isFromMonitor);
      const rows = isFromMonitor ? present.map((row) => withCheckInFlight(row, before.get(row.key))) : present;
      before = new Map(rows.map((row) => [row.key, row]));
      for (const row of rows) {
        const beat = beatOf(row);
        if (beat) beats.add(row.key, beat);
      }
      beats.keep(new Set(rows.map(({ key }) => key)));
      // The map changes with the next look: what is drawn is a copy.
      return { rows, beats: new Map(beats.all), checkers: await checkersOf(own, isFromMonitor) };
    },
  };
}

/** While a check is in flight, the monitor has planned no other: it is due since then. */
function withCheckInFlight(row: TopRow, before: TopRow | undefined): TopRow {
  const isSame = before?.last?.endMs === row.last?.endMs && row.state === 'running' && row.hasCheck;
  return isSame && row.nextCheckMs === undefined ? { ...row, nextCheckMs: before?.nextCheckMs } : row;
}

interface Listed {
  readonly row: TopRow;
  readonly health: ListedContainer['health'];
}

interface NamespaceList {
  readonly isFromMonitor: boolean;
  readonly listed: readonly Listed[];
}

/** Its results come faster than we look. */
function isFast({ row, health }: Listed, everyMs: number): boolean {
  if (!row.hasCheck || row.state !== 'running' || !health.config) return false;
  const { intervalNs, startIntervalNs } = withDefaults(health.config);
  return (row.word === 'starting' ? Math.min(intervalNs, startIntervalNs) : intervalNs) / NS_PER_MS < everyMs * 1.5;
}

async function listAll(world: ContainerWorld, options: LookOptions): Promise<readonly NamespaceList[]> {
  const { settings, signal } = world;
  if (!options.isEverywhere) return [await listOne(world, settings.namespace, options.filters)];
  const namespaces = await (await world.containerd()).host.namespaces({ signal });
  return Promise.all(namespaces.map((namespace) => listOne(world, namespace, options.filters)));
}

async function listOne(world: ContainerWorld, namespace: string, filters: ListFilters): Promise<NamespaceList> {
  const { settings, signal, log } = world;
  const dirs = namespaceDirsOf(world, namespace);
  const keep = (view: ListedContainer['view']): boolean => matchesView(filters, view, dirs);
  const answer = await openMonitor(world).ask(REQUESTS.list(namespace), signal);
  const own = namespace === settings.namespace ? world : worldIn(world, namespace);
  const found = answer
    ? listedFromAnswer({ log, settings: own.settings }, answer.value).filter(({ view }) => keep(view))
    : await listContainers(await openContainers(own), { keep, signal });
  const nextOf = new Map(answer?.value.map(({ record, nextCheckAt }) => [record.id, nextCheckAt]));
  const listed = found
    .filter(({ health }) => matchesHealth(filters, health))
    .map((one) => {
      const nextCheckMs = Date.parse(nextOf.get(one.view.record.id) ?? '');
      const row = rowOf(one, { namespace, nextCheckMs: Number.isNaN(nextCheckMs) ? undefined : nextCheckMs });
      return { row, health: one.health };
    });
  return { isFromMonitor: answer !== undefined, listed };
}

interface StatusAt {
  readonly status: DaemonStatus;
  readonly atMs: number;
}

/** The rate is that since the last answer of the same monitor. */
function monitorText({ status, atMs }: StatusAt, before: StatusAt | undefined): Checkers {
  const { pid, lag, checksMade, isLive, troubled } = status;
  if (!isLive) return { text: `the monitor, process ${pid}, has lost containerd`, isBad: true };
  const seconds = before?.status.id === status.id ? (atMs - before.atMs) / 1_000 : 0;
  const rate =
    seconds > 0 && before ? `, ${((checksMade - before.status.checksMade) / seconds).toFixed(1)} checks/s` : '';
  const late = lag === null ? '' : `, p99 ${Math.round(lag.p99Ms)}ms late`;
  const trouble = troubled === 0 ? '' : `, ${troubled} not checked: see "healthctl daemon logs"`;
  return { text: `monitor ${pid}${rate}${late}${trouble}`, isBad: troubled > 0 };
}

async function unmonitoredText(world: ContainerWorld): Promise<Checkers> {
  if (world.settings.monitor.scheduler === 'systemd') return { text: 'checked by systemd timers', isBad: false };
  const why = (await whyUnmonitored(world)) ?? 'the monitor does not watch this namespace';
  const hint = why === NO_MONITOR_RUNS ? ': healthctl daemon start' : '';
  return { text: `nobody checks on schedule: ${why}${hint}`, isBad: true };
}
