import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import { type ContainerRef, keyOf } from '../lib/container-key.ts';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import { slicer } from '../lib/slice.ts';
import type { HostModel } from '../monitor/host-model.ts';
import type { TokenHash } from '../system/bearer-token.ts';
import type { Asset } from './assets.ts';
import { barPeriod } from './bars.ts';
import { type Cache, createCache } from './cached.ts';
import { refusalOfData, refusalOfSource } from './guard.ts';
import type { HistoryQueries } from './history-queries.ts';
import { createLiveFeed, type LiveFeed } from './live.ts';
import { goneRowOf, presentStateOf, rowOf } from './present.ts';
import { sendAsset, sendJson, sendRefusal, setSafetyHeaders } from './respond.ts';
import {
  type ConfigAnswer,
  type ContainerAnswer,
  type ContainerRow,
  type HostAnswer,
  isRangeName,
  type LogAnswer,
  type OverviewAnswer,
  RANGES,
  type RangeName,
} from './wire.ts';

/** The web page of a monitor: static files, data as JSON, and a stream of what changes. It changes nothing. */
export interface Page {
  readonly feed: Pick<LiveFeed, 'onResult' | 'onChange' | 'onGone'>;
  /** Answers one request. */
  handle(request: IncomingMessage, response: ServerResponse, options: PageOptions): void;
  /** Cuts off the streams, and ends the thread of the history. */
  stop(): Promise<void>;
}

interface PageOptions {
  readonly assets: ReadonlyMap<string, Asset>;
  readonly hosts: readonly string[];
  readonly token: TokenHash | undefined;
}

export interface PageDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'after'>;
  readonly log: ServiceLogger;
  readonly model: Pick<HostModel, 'all' | 'get'>;
  readonly isRestarting: (key: string) => boolean;
  readonly host: () => HostAnswer;
  /** Undefined if the monitor keeps none. */
  readonly history: HistoryQueries | undefined;
  readonly configOf: (ref: ContainerRef, signal: AbortSignal) => Promise<ConfigAnswer>;
}

/** A client that has not read its answer by then is cut off. */
const ANSWER_LIMIT_MS = 20_000;
/** How long other work may wait for the rows of all containers. */
const SLICE_MS = 2;
/** How old a shared answer from the history may be: the longer the range, the more it costs, and the less it changes. */
const MAX_AGE_MS: Readonly<Record<RangeName, number>> = { '90m': 4_000, '24h': 15_000, '7d': 60_000 };

export function createPage(deps: PageDeps): Page {
  const { clock, log, model, isRestarting, host } = deps;
  const feed = createLiveFeed({
    ...{ clock, host },
    presentOf: (key) => {
      const container = model.get(key);
      return container && presentStateOf(container, isRestarting(key));
    },
  });
  const cache = createCache(clock);
  const answerData = createDataAnswers(deps, cache);
  const answer = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    if (path === '/data/stream') return feed.serve(response);
    const late = clock.after(ANSWER_LIMIT_MS, () => response.destroy());
    const gone = new AbortController();
    response.once('close', () => {
      late.cancel();
      gone.abort();
    });
    await sendJson(request, response, await answerData(path, queryOf(request), gone.signal));
  };
  const fail = (request: IncomingMessage, response: ServerResponse, error: unknown): void => {
    if (!(error instanceof HealthctlError)) log.warn(`page: ${request.url}: ${messageOf(error)}`);
    if (response.headersSent || response.destroyed) response.destroy();
    else sendRefusal(response, { status: statusOf(error), message: messageOf(error) });
  };
  return {
    feed,
    handle: (request, response, { assets, ...guard }) => {
      request.resume();
      setSafetyHeaders(response);
      const path = pathOf(request);
      const asset = assets.get(path);
      const refusal = refusalOfSource(request, guard) ?? (asset ? undefined : refusalOfData(request, guard));
      if (refusal) return sendRefusal(response, refusal);
      const answered = asset ? sendAsset(request, response, asset) : answer(request, response, path);
      answered.catch((error) => fail(request, response, error));
    },
    stop: async () => {
      feed.stop();
      await deps.history?.stop();
      cache.clear();
    },
  };
}

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] ?? '/';
const queryOf = ({ url = '/' }: IncomingMessage): URLSearchParams => new URLSearchParams(url.split('?')[1] ?? '');

const statusOf = (error: unknown): number =>
  hasCode(error, 'NOT_FOUND') ? 404 : hasCode(error, 'USAGE') ? 400 : error instanceof HealthctlError ? 503 : 500;

type DataAnswer = HostAnswer | OverviewAnswer | ContainerAnswer | ConfigAnswer | LogAnswer;

/** The answers below `/data`. Each throws NOT_FOUND for what is not there, USAGE for a wrong query. */
function createDataAnswers(
  deps: PageDeps,
  cache: Cache,
): (path: string, query: URLSearchParams, signal: AbortSignal) => Promise<DataAnswer> {
  return async (path, query, signal) => {
    const [, data, noun, word, part, ...rest] = path.split('/');
    if (data !== 'data' || rest.length > 0) throw notFound(path);
    if (noun === 'host' && word === undefined) return deps.host();
    if (noun !== 'containers') throw notFound(path);
    if (word === undefined) return overview(deps, cache, rangeFrom(query));
    const key = decoded(word);
    if (part === undefined) return detail(deps, cache, { key, range: rangeFrom(query) });
    if (part === 'log') return logOf(deps, key, query);
    if (part === 'config') return configOf(deps, key, signal);
    throw notFound(path);
  };
}

async function overview(
  { clock, model, isRestarting, history }: PageDeps,
  cache: Cache,
  range: RangeName,
): Promise<OverviewAnswer> {
  const nowMs = clock.now();
  const bars = barPeriod(RANGES[range], nowMs);
  const past = await cache.get(`overview ${range} ${bars.fromMs}`, MAX_AGE_MS[range], async () =>
    history?.ask({ kind: 'overview', range, nowMs }),
  );
  const rows = new Map(past?.rows.map((row) => [row.key, row]));
  const present: ContainerRow[] = [];
  const pauseIfDue = slicer(clock, SLICE_MS);
  for (const container of [...model.all()]) {
    const key = keyOf(container);
    present.push(rowOf(container, rows.get(key), { isRestarting: isRestarting(key), barCount: bars.count }));
    rows.delete(key);
    await pauseIfDue();
  }
  return {
    ...{ nowMs, range, fromMs: bars.fromMs },
    containers: [...present, ...[...rows.values()].map(goneRowOf)],
    incidents: past?.incidents ?? [],
    notes: notesOf(history),
  };
}

async function detail(
  { clock, model, isRestarting, history }: PageDeps,
  cache: Cache,
  { key, range }: { readonly key: string; readonly range: RangeName },
): Promise<ContainerAnswer> {
  const nowMs = clock.now();
  const bars = barPeriod(RANGES[range], nowMs);
  const past = await cache.get(`detail ${range} ${bars.fromMs} ${key}`, MAX_AGE_MS[range], async () =>
    history?.ask({ kind: 'detail', key, range, nowMs }),
  );
  const container = model.get(key);
  if (!container && !past) throw new HealthctlError('NOT_FOUND', `no such container: ${key}`);
  const row = container
    ? rowOf(container, past?.row, { isRestarting: isRestarting(key), barCount: bars.count })
    : past && goneRowOf(past.row);
  if (!row) throw new HealthctlError('NOT_FOUND', `no such container: ${key}`);
  return {
    ...{ nowMs, range, fromMs: bars.fromMs, row },
    uptime: past?.uptime ?? { hour: null, day: null, week: null },
    ...{ spans: past?.spans ?? [], incidents: past?.incidents ?? [], plot: past?.plot ?? [] },
    notes: notesOf(history),
  };
}

async function logOf({ clock, history }: PageDeps, key: string, query: URLSearchParams): Promise<LogAnswer> {
  const before = query.get('before');
  const beforeMs = before === null ? clock.now() + 1 : Number(before);
  if (!Number.isFinite(beforeMs)) throw new HealthctlError('USAGE', 'before must be milliseconds since the epoch');
  if (!history) return { lines: [], beforeMs: null };
  return history.ask({ kind: 'log', key, beforeMs, isFailedOnly: query.get('failed') === '1' });
}

/** Only for a container that the monitor knows: the configuration may limit it to some namespaces. */
async function configOf({ model, configOf: ask }: PageDeps, key: string, signal: AbortSignal): Promise<ConfigAnswer> {
  const container = model.get(key);
  return container ? ask(container, signal) : { config: null };
}

const notesOf = (history: HistoryQueries | undefined): readonly string[] =>
  history ? [] : ['This monitor keeps no history: only what is known at present is shown.'];

function rangeFrom(query: URLSearchParams): RangeName {
  const range = query.get('range') ?? '90m';
  if (isRangeName(range)) return range;
  throw new HealthctlError('USAGE', `range must be one of ${Object.keys(RANGES).join(', ')}`);
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    throw notFound(word);
  }
}

const notFound = (path: string): HealthctlError => new HealthctlError('NOT_FOUND', `no such path: ${path}`);
