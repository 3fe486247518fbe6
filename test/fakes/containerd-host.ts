import type { ContainerContext } from '../../src/container/context.ts';
import type { Containerd } from '../../src/containerd/client.ts';
import type { ContainerRecord } from '../../src/containerd/containers.ts';
import type { Events } from '../../src/containerd/events.ts';
import type { TaskRecord } from '../../src/containerd/tasks.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { HealthctlError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createMemoryHealthStore } from '../../src/store/memory-health-store.ts';
import { aRecord, aTask } from '../builders/container.ts';
import { createFakeExchange } from './events.ts';

interface StoredContainer {
  readonly record: ContainerRecord;
  readonly task: TaskRecord | undefined;
}

/**
 * A containerd in memory, with containers, tasks and events. A test can end the connection and restore it. `put`
 * publishes no event.
 */
export function createFakeHost(clock: Clock) {
  const exchange = createFakeExchange();
  const stored = new Map<string, StoredContainer>();
  const store = createMemoryHealthStore();
  /** The requests, in order: `list default`, `get default/c1`. */
  const requests: string[] = [];
  /** The times of reads and writes of the store: `read`, or `mirror` for a write that stores no result. */
  const storeAccesses: { readonly what: 'read' | 'mirror'; readonly atMs: number }[] = [];
  let disconnected = new AbortController();
  let hold: Promise<void> | undefined;

  /** Computes the answer now, and gives it once answers are no longer held back. */
  const answer = async <T>(what: string, value: () => T): Promise<T> => {
    requests.push(what);
    throwIfDisconnected();
    const current = value();
    await hold;
    throwIfDisconnected();
    return current;
  };
  const throwIfDisconnected = (): void => {
    if (disconnected.signal.aborted) throw new HealthctlError('UNAVAILABLE', 'containerd does not answer');
  };
  const ofNamespace = (namespace: string): readonly StoredContainer[] =>
    [...stored].filter(([key]) => key.startsWith(`${namespace}/`)).map(([, each]) => each);
  const inNamespace = (namespace: string) => ({
    ...{ namespace, events, address: '/fake.sock' },
    containers: {
      get: (id: string) =>
        answer(`get ${namespace}/${id}`, () => stored.get(`${namespace}/${id}`)?.record).then((record) => {
          if (!record) throw new HealthctlError('NOT_FOUND', `no container ${id}`);
          return record;
        }),
      list: () => answer(`list ${namespace}`, () => ofNamespace(namespace).map(({ record }) => record)),
    },
    tasks: {
      find: (id: string) => answer(`find ${namespace}/${id}`, () => stored.get(`${namespace}/${id}`)?.task),
      list: () => answer(`tasks ${namespace}`, () => ofNamespace(namespace).flatMap(({ task }) => task ?? [])),
    },
  });
  const events: Events = {
    publish: exchange.publish,
    subscribe: async (options) => {
      throwIfDisconnected();
      return exchange.subscribe({ ...options, signal: AbortSignal.any([options.signal, disconnected.signal]) });
    },
  };
  const containerd = {
    ...inNamespace('default'),
    host: {
      namespaces: () =>
        answer('namespaces', () => [...new Set([...stored.keys()].map((key) => key.split('/')[0] ?? ''))]),
    },
    inNamespace,
  } as unknown as Containerd;
  const recordingStore: typeof store = {
    ...store,
    get: (subject) => {
      storeAccesses.push({ what: 'read', atMs: clock.monotonic() });
      return store.get(subject);
    },
    update: (subject, decide, options) =>
      store.update(
        subject,
        (before) => {
          const record = decide(before);
          if (!record) storeAccesses.push({ what: 'mirror', atMs: clock.monotonic() });
          return record;
        },
        options,
      ),
  };
  return {
    ...{ exchange, containerd, requests, storeAccesses, store },
    contextOf: (namespace: string) =>
      ({
        containerd: inNamespace(namespace),
        clock,
        store: recordingStore,
        log: silentLogger,
      }) as unknown as ContainerContext,
    put: (id: string, labels: Readonly<Record<string, string>>, task?: Partial<TaskRecord>, namespace = 'default') => {
      const record = aRecord({
        id,
        labels,
        specJson: () => '{"ociVersion":"1.0.2","process":{"args":["sleep"],"cwd":"/"}}',
      });
      stored.set(`${namespace}/${id}`, { record, task: task && aTask({ containerId: id, ...task }) });
    },
    remove: (id: string, namespace = 'default') => stored.delete(`${namespace}/${id}`),
    disconnect: () => disconnected.abort(),
    reconnect: () => {
      disconnected = new AbortController();
    },
    /**
     * Later requests are answered with the data at the time of the request, but only after the returned function was
     * called.
     */
    holdAnswers: (): (() => void) => {
      let release = (): void => {};
      hold = new Promise((resolve) => {
        release = resolve;
      });
      return () => {
        hold = undefined;
        release();
      };
    },
  };
}
