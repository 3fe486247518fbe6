import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ContainerContext } from '../../container/context.ts';
import { nextCheckAtMs } from '../../health/schedule.ts';
import { historyDirOf } from '../../history/files.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { ListenTarget, Settings } from '../../lib/settings.ts';
import type { HostModel } from '../../monitor/host-model.ts';
import { readAssets } from '../../page/assets.ts';
import { configAnswerOf } from '../../page/config-answer.ts';
import { createHistoryThread } from '../../page/history-thread.ts';
import type { LiveSource } from '../../page/live.ts';
import { createPage } from '../../page/page.ts';
import type { HostAnswer } from '../../page/wire.ts';
import type { ContainerView } from '../../record/view.ts';
import { readToken } from '../../system/bearer-token.ts';
import type { DaemonStatus } from '../api/answers.ts';
import { createHttpListener } from '../listener/http-listener.ts';
import { scheduleFactsOf } from '../timers/check-facts.ts';

export interface PageServerDeps {
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly settings: Settings;
  readonly groupId: number | undefined;
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly model: HostModel;
  readonly live: Pick<LiveSource, 'follow'>;
  readonly status: () => DaemonStatus;
  readonly isRestarting: (key: string) => boolean;
  readonly flushHistory: () => Promise<void>;
}

/** Serves the web page. */
export interface PageServer {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A browser opens up to six connections; each tab that is looked at holds one. */
const MAX_CONNECTIONS = 64;

export function createPageServer(deps: PageServerDeps, at: ListenTarget): PageServer {
  const { clock, log, settings, groupId, contextOf, model, isRestarting, flushHistory } = deps;
  const { tls, tokenFile, hosts } = settings.monitor.page;
  const dir = historyDirOf(settings);
  const page = createPage({
    ...{ clock, log, model, isRestarting },
    host: () => hostAnswerOf(deps),
    history: settings.history.isEnabled
      ? createHistoryThread({ script: join(distDir(), 'page-history.cjs'), dir, flush: flushHistory, clock, log })
      : undefined,
    configOf: (ref, signal) => configAnswerOf({ contextOf, settings, nextCheckMs }, ref, signal),
  });
  const listener = createHttpListener({
    ...{ what: 'page', urlPath: '/', at, tls, groupId, maxConnections: MAX_CONNECTIONS, clock, log },
    open: () => {
      const token = tokenFile === undefined ? undefined : readToken(tokenFile);
      const assets = readAssets(join(distDir(), 'page'));
      return (request, response) => page.handle(request, response, { assets, hosts, token });
    },
  });
  return {
    start: () => {
      deps.live.follow(page.feed);
      return listener.start();
    },
    stop: async () => {
      // First, so that no request comes after the page has stopped.
      await listener.stop();
      await page.stop();
    },
  };
}

/** Where scripts/build.mjs puts what the bundle does not contain. */
const distDir = (): string =>
  typeof __dirname === 'string' ? __dirname : fileURLToPath(new URL('../../../dist', import.meta.url));

async function nextCheckMs(ctx: ContainerContext, view: ContainerView): Promise<number | undefined> {
  const facts = await scheduleFactsOf(ctx, view);
  return facts && nextCheckAtMs(facts);
}

function hostAnswerOf({ clock, settings, status }: PageServerDeps): HostAnswer {
  const { version, commit, pid, startedAt, address, namespaces, isLive, ...figures } = status();
  const { containers, unhealthy, troubled, checksInFlight, checksWaiting, checksMade, lag } = figures;
  return {
    ...{ nowMs: clock.now(), version, commit, pid, startedAtMs: Date.parse(startedAt), hostname: hostname() },
    ...{ address, namespaces, isLive, containers, checked: figures.watched, unhealthy, troubled },
    ...{ checksInFlight, checksWaiting, checksMade, lag },
    ...{ memoryBytes: figures.memoryBytes, descriptors: figures.descriptors },
    keepsHistory: settings.history.isEnabled,
  };
}
