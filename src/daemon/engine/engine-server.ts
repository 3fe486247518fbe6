import type { ContainerContext } from '../../container/context.ts';
import { createAttachments } from '../../engine/containers/attachments.ts';
import { createEngine } from '../../engine/engine.ts';
import { createExecs } from '../../engine/exec/execs.ts';
import type { EngineHost } from '../../engine/host.ts';
import { engineRoutesOf } from '../../engine/routes.ts';
import type { Clock } from '../../lib/clock.ts';
import { keyOf } from '../../lib/container-key.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { Settings } from '../../lib/settings.ts';
import type { Monitor } from '../../monitor/monitor.ts';
import { type Descriptors, readDescriptors } from '../../system/descriptors.ts';
import type { DockerApi } from '../api/answers.ts';
import type { EventHub } from '../api/event-stream.ts';
import type { Service, ServiceDeps } from '../api/service.ts';
import { createEngineListener, type EngineAddress } from './engine-listener.ts';
import { knownList } from './known-list.ts';

export interface EngineServerDeps {
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly settings: Settings;
  /** Of the process. */
  readonly path: string;
  readonly groupId: number | undefined;
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly hub: Pick<EventHub, 'follow' | 'followers'>;
  readonly service: Pick<Service, 'refresh' | 'remove'>;
  readonly monitor: Pick<Monitor, 'model' | 'isLive'>;
  readonly restarts: Pick<ServiceDeps, 'isRestarting' | 'nextRestartAtMs'>;
}

/** Serves Docker's Engine API. */
export interface EngineServer {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Undefined while it does not listen. */
  readonly serving: DockerApi | undefined;
}

/** @param addresses at least one */
export function createEngineServer(deps: EngineServerDeps, addresses: readonly EngineAddress[]): EngineServer {
  const { clock, log, settings, path, groupId } = deps;
  const namespace = settings.monitor.dockerNamespace ?? settings.namespace;
  const ctx = deps.contextOf(namespace);
  const engine = createEngine({
    ...{ log, clock },
    routes: engineRoutesOf({
      ctx,
      host: hostOf(deps, ctx),
      settings,
      path,
      clock,
      log,
      attachments: createAttachments(),
      execs: createExecs({ clock }),
    }),
  });
  const maxConnections = connectionsOf(readDescriptors(), addresses.length);
  const listeners = addresses.map((at) => createEngineListener({ at, maxConnections, groupId, engine, clock, log }));
  return {
    start: async () => {
      await Promise.all(listeners.map((listener) => listener.start()));
    },
    stop: async () => {
      engine.stop();
      await Promise.all(listeners.map((listener) => listener.stop()));
    },
    get serving() {
      const hosts = listeners.flatMap(({ host }) => host ?? []);
      return hosts.length === 0 ? undefined : { namespace, hosts };
    },
  };
}

/** No host has more clients. */
const MOST_CONNECTIONS = 4_096;

/** For each address: half of the free descriptors, divided among them. */
function connectionsOf({ open, limit }: Descriptors, addresses: number): number {
  return Math.max(8, Math.min(MOST_CONNECTIONS, Math.floor((limit - open) / 2 / addresses)));
}

function hostOf({ hub, service, monitor, restarts, settings }: EngineServerDeps, ctx: ContainerContext): EngineHost {
  const { namespace } = ctx.containerd;
  return {
    refresh: (id) => service.refresh(namespace, id),
    remove: (id, options) => service.remove(namespace, id, options),
    listed: () => knownList(monitor, { dirs: ctx.dirs, namespace }, settings.monitor.namespaces),
    restartOf: (id) => {
      const key = keyOf({ namespace, id });
      return { isRestarting: restarts.isRestarting(key), nextRestartAtMs: restarts.nextRestartAtMs(key) };
    },
    openEvents: (range) => hub.follow({ ...range, namespace }),
    figures: () => ({ descriptors: readDescriptors().open, listeners: hub.followers, isDebug: settings.debug }),
  };
}
