import { findContainer } from '../container/container-exists.ts';
import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { type ContainerRef, keyOf } from '../lib/container-key.ts';
import { messageOf } from '../lib/errors.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import { mirroredState } from '../store/health-file.ts';
import type { Agenda } from './agenda.ts';
import type { Exit, MonitorHooks } from './hooks.ts';
import type { Effect, Found, HostModel, KnownContainer } from './host-model.ts';

/** Keeps the model in step with containerd's lists, events and answers, and starts the resulting work. */
export interface HostSync {
  /** Applies the lists of all monitored namespaces. A container that is missing from them is gone. */
  list(signal: AbortSignal): Promise<void>;
  /** Starts the work that results from an event, after the model has applied it. */
  applyEffect(effect: Effect): void;
  /** Asks containerd for one container now, and reconciles it. */
  refresh(container: ContainerRef): Promise<void>;
  /**
   * The shim of a container did not answer. Until it does, the last known task holds, and containerd is asked again.
   */
  askAgain(container: ContainerRef): void;
}

export interface HostSyncDeps {
  /** For any namespace. */
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly model: HostModel;
  readonly agenda: Agenda;
  readonly hooks: Pick<MonitorHooks, 'onListed' | 'onExit' | 'onGone'>;
  readonly isMonitored: (namespace: string) => boolean;
  readonly inTurn: (key: string, work: () => Promise<void> | void) => Promise<void>;
  /** Reconciles the container's worker, in the container's turn. */
  readonly reconcile: (key: string) => Promise<void>;
  /** See Workers.read and WorkersDeps.sweep. */
  readonly readHealth: (key: string, options: { readonly writesMirror: boolean }) => Promise<void>;
  readonly sweep: (key: string, what: { readonly residents: boolean }) => Promise<void>;
}

/** When to read health.json after another tool wrote labels: nerdctl writes the label first, then the line. */
const LINE_AFTER_MS = 100;
/** When to read it again, and to correct the label. */
const MIRROR_AFTER_MS = 1_000;
/** Wait before requesting a container again whose shim did not answer. */
const ASK_AGAIN_MS = 1_000;
/** After this many outdated answers, the next is applied anyway: the following event corrects it. */
const MAX_TRIES = 5;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createHostSync(deps: HostSyncDeps): HostSync {
  const { containerd, clock, log, model, agenda, hooks, inTurn, reconcile } = deps;
  /** Containers to be requested again. */
  const silent = new Set<string>();

  const announceExit = (container: KnownContainer, exit: Exit | undefined): void => {
    void reconcile(keyOf(container));
    void inTurn(keyOf(container), () => hooks.onExit(container, exit));
  };
  const announceGone = (container: KnownContainer): void => {
    void reconcile(keyOf(container));
    void inTurn(keyOf(container), () => hooks.onGone(container));
  };

  /**
   * Labels written by another tool may contain another state than the stored one: the result of its check, or a
   * restored old copy of ours.
   */
  const compareMirror = ({ config, record, stored, namespace, id }: KnownContainer): void => {
    const mirrored = mirroredState(record.labels);
    const { state } = stored;
    const isSame =
      mirrored?.status === state?.status &&
      mirrored?.failingStreak === state?.failingStreak &&
      mirrored?.run === state?.run;
    if (!config || isSame) return;
    const key = keyOf({ namespace, id });
    const read = (writesMirror: boolean) => void inTurn(key, () => deps.readHealth(key, { writesMirror }));
    read(false);
    agenda.at(clock.monotonic() + LINE_AFTER_MS, () => read(false));
    agenda.at(clock.monotonic() + MIRROR_AFTER_MS, () => read(true));
  };

  const askAgain = (container: ContainerRef): void => {
    const key = keyOf(container);
    const logged = (error: unknown): void => log.debug(`container ${key}: ${messageOf(error)}`);
    void reconcile(key);
    // An exec left by a check whose caller died may be blocking the shim.
    void inTurn(key, () => deps.sweep(key, { residents: true }).catch(logged));
    if (silent.has(key)) return;
    silent.add(key);
    agenda.at(clock.monotonic() + ASK_AGAIN_MS, () => {
      silent.delete(key);
      if (model.get(key)) void refresh(container).catch(logged);
    });
  };

  const applyAnswer = (container: ContainerRef, found: Found | undefined): void => {
    const before = model.get(keyOf(container));
    const after = model.put(container, found);
    if (found?.task?.status === 'unknown') {
      askAgain(container);
      return;
    }
    if (!after) {
      if (before) announceGone(before);
      return;
    }
    const { exitStatus: code = 0, exitedAtMs: atMs } = after.task ?? {};
    const isEnded = !after.run && (after.task?.status === 'stopped' || before?.run !== undefined);
    if (isEnded) announceExit(after, atMs === undefined ? undefined : { code, atMs });
    else void reconcile(keyOf(container));
  };

  const refresh = async (container: ContainerRef): Promise<void> => {
    const key = keyOf(container);
    const { containers, tasks } = containerd.inNamespace(container.namespace);
    for (let tries = 1; ; tries += 1) {
      const version = model.versionOf(key);
      const [record, task] = await Promise.all([findContainer(containers, container.id), tasks.find(container.id)]);
      if (model.versionOf(key) !== version && tries < MAX_TRIES) continue;
      applyAnswer(container, record && { record, task });
      return reconcile(key);
    }
  };

  const listNamespace = async (namespace: string, signal: AbortSignal): Promise<void> => {
    const known = [...model.all()].filter((container) => container.namespace === namespace);
    const versions = new Map(known.map((container) => [keyOf(container), model.versionOf(keyOf(container))]));
    const own = containerd.inNamespace(namespace);
    const [records, tasks] = await Promise.all([own.containers.list([], { signal }), own.tasks.list({ signal })]);
    hooks.onListed(namespace, records);
    const taskOf = new Map(tasks.map((task) => [task.containerId, task]));
    const found = new Map(records.map((record) => [record.id, { record, task: taskOf.get(record.id) }]));
    for (const id of new Set([...found.keys(), ...known.map((container) => container.id)])) {
      const key = keyOf({ namespace, id });
      const isOvertaken = model.versionOf(key) !== (versions.get(key) ?? 0);
      if (isOvertaken) void refresh({ namespace, id }).catch((error: unknown) => log.debug(messageOf(error)));
      else applyAnswer({ namespace, id }, found.get(id));
    }
  };

  return {
    askAgain,
    refresh,
    list: async (signal) => {
      const namespaces = (await containerd.host.namespaces({ signal })).filter(deps.isMonitored);
      for (const namespace of namespaces) await listNamespace(namespace, signal);
      for (const { namespace, id } of [...model.all()])
        if (!namespaces.includes(namespace)) applyAnswer({ namespace, id }, undefined);
    },
    applyEffect: (effect) => {
      switch (effect.kind) {
        case 'none':
          return;
        case 'unknown':
          // If containerd is lost meanwhile, the following list has everything.
          void refresh(effect).catch((error: unknown) => log.debug(`container ${keyOf(effect)}: ${messageOf(error)}`));
          return;
        case 'changed':
          compareMirror(effect.container);
          void reconcile(keyOf(effect.container));
          return;
        case 'exited':
          announceExit(effect.container, { code: effect.exitStatus, atMs: effect.exitedAtMs });
          return;
        case 'deleted':
          announceGone(effect.container);
          return;
      }
    },
  };
}
