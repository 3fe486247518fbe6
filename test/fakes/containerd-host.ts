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

interface Kept {
  readonly record: ContainerRecord;
  readonly task: TaskRecord | undefined;
}

/** A containerd in memory with containers, tasks and events, which can be lost and come back. What is put tells no event by itself. */
export function createFakeHost(clock: Clock) {
  const exchange = createFakeExchange();
  const kept = new Map<string, Kept>();
  const store = createMemoryHealthStore();
  /** What was asked, in order: `list default`, `get default/c1`. */
  const asked: string[] = [];
  /** Moments of reads and writes of the store: `read`, or `mirror` for a write that stores nothing new. */
  const looks: { readonly what: 'read' | 'mirror'; readonly atMs: number }[] = [];
  let lost = new AbortController();
  let hold: Promise<void> | undefined;

  /** What is true now, given when nobody holds answers back any more. */
  const answer = async <T>(what: string, value: () => T): Promise<T> => {
    asked.push(what);
    refuseLost();
    const seen = value();
    await hold;
    refuseLost();
    return seen;
  };
  const refuseLost = (): void => {
    if (lost.signal.aborted) throw new HealthctlError('UNAVAILABLE', 'containerd does not answer');
  };
  const ofNamespace = (namespace: string): readonly Kept[] =>
    [...kept].filter(([key]) => key.startsWith(`${namespace}/`)).map(([, each]) => each);
  const inNamespace = (namespace: string) => ({
    ...{ namespace, events, address: '/fake.sock' },
    containers: {
      get: (id: string) =>
        answer(`get ${namespace}/${id}`, () => kept.get(`${namespace}/${id}`)?.record).then((record) => {
          if (!record) throw new HealthctlError('NOT_FOUND', `no container ${id}`);
          return record;
        }),
      list: () => answer(`list ${namespace}`, () => ofNamespace(namespace).map(({ record }) => record)),
    },
    tasks: {
      find: (id: string) => answer(`find ${namespace}/${id}`, () => kept.get(`${namespace}/${id}`)?.task),
      list: () => answer(`tasks ${namespace}`, () => ofNamespace(namespace).flatMap(({ task }) => task ?? [])),
    },
  });
  const events: Events = {
    publish: exchange.publish,
    subscribe: async (options) => {
      refuseLost();
      return exchange.subscribe({ ...options, signal: AbortSignal.any([options.signal, lost.signal]) });
    },
  };
  const containerd = {
    ...inNamespace('default'),
    host: {
      namespaces: () =>
        answer('namespaces', () => [...new Set([...kept.keys()].map((key) => key.split('/')[0] ?? ''))]),
    },
    inNamespace,
  } as unknown as Containerd;
  const watchedStore: typeof store = {
    ...store,
    get: (subject) => {
      looks.push({ what: 'read', atMs: clock.monotonic() });
      return store.get(subject);
    },
    update: (subject, decide, options) =>
      store.update(
        subject,
        (before) => {
          const record = decide(before);
          if (!record) looks.push({ what: 'mirror', atMs: clock.monotonic() });
          return record;
        },
        options,
      ),
  };
  return {
    ...{ exchange, containerd, asked, looks, store },
    contextOf: (namespace: string) =>
      ({
        containerd: inNamespace(namespace),
        clock,
        store: watchedStore,
        log: silentLogger,
      }) as unknown as ContainerContext,
    put: (id: string, labels: Readonly<Record<string, string>>, task?: Partial<TaskRecord>, namespace = 'default') => {
      const record = aRecord({
        id,
        labels,
        specJson: () => '{"ociVersion":"1.0.2","process":{"args":["sleep"],"cwd":"/"}}',
      });
      kept.set(`${namespace}/${id}`, { record, task: task && aTask({ containerId: id, ...task }) });
    },
    remove: (id: string, namespace = 'default') => kept.delete(`${namespace}/${id}`),
    lose: () => lost.abort(),
    comeBack: () => {
      lost = new AbortController();
    },
    /** Answers to what is asked from now on are of this moment, and come when the returned function is called. */
    holdAnswers: (): (() => void) => {
      let letGo = (): void => {};
      hold = new Promise((resolve) => {
        letGo = resolve;
      });
      return () => {
        hold = undefined;
        letGo();
      };
    },
  };
}
