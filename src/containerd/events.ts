import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import { randomHex } from '../lib/random.ts';
import {
  ContainerCreate,
  ContainerDelete,
  ContainerUpdate,
  ImageNamed,
  TaskExec,
  TaskExit,
  TaskOfContainer,
  TaskStart,
} from './gen/containerd/event_types.ts';
import { type Envelope, EventsDefinition as Service } from './gen/containerd/events.ts';
import type { Rpc } from './rpc.ts';
import { millisFromTimestamp } from './time.ts';

/** An event of containerd's exchange. */
export type EventFact =
  | { readonly kind: 'container-created'; readonly id: string; readonly image: string }
  /** All labels as they are now. */
  | { readonly kind: 'container-updated'; readonly id: string; readonly labels: Readonly<Record<string, string>> }
  | { readonly kind: 'container-deleted'; readonly id: string }
  | { readonly kind: 'task-started'; readonly id: string; readonly pid: number }
  | {
      readonly kind: 'task-exited';
      readonly id: string;
      readonly pid: number;
      readonly exitStatus: number;
      readonly exitedAtMs: number;
    }
  | {
      readonly kind: 'task-created' | 'task-deleted' | 'task-oom' | 'task-paused' | 'task-resumed';
      readonly id: string;
    }
  | { readonly kind: 'exec-added' | 'exec-started'; readonly id: string; readonly execId: string }
  | { readonly kind: 'exec-exited'; readonly id: string; readonly execId: string; readonly exitStatus: number }
  | { readonly kind: 'image-created' | 'image-updated' | 'image-deleted'; readonly name: string }
  /** One of our own, published by any healthctl process; `json` is not parsed yet. */
  | { readonly kind: 'own'; readonly topic: string; readonly json: string };

export type ContainerdEvent = EventFact & {
  readonly namespace: string;
  /** Wall time, milliseconds since the epoch. */
  readonly atMs: number;
};

/** @see signal ends the subscription: the iteration throws ABORTED then */
type SubscribeOptions = { readonly signal: AbortSignal } & (
  | {
      /** Execs with this id prefix are skipped: those of checks would be most of all events. */
      readonly withoutExecs: string;
    }
  | {
      /** Only the end of this container's run. */
      readonly endOf: string;
    }
);

/** containerd's event exchange. It stores nothing: a subscriber gets later events, of all namespaces. */
export interface Events {
  /**
   * Publishes an event to every subscriber.
   *
   * @param event.topic below `/healthctl/`, e.g. `/healthctl/health-status`
   */
  publish(event: { readonly topic: string; readonly json: string }): Promise<void>;
  /**
   * Resolves when the subscription is live: from then on all events arrive, in order. The iteration throws UNAVAILABLE
   * if the connection is lost.
   */
  subscribe(options: SubscribeOptions): Promise<AsyncIterable<ContainerdEvent>>;
}

/** The type of our events; the value is JSON. `ctr events` skips an unknown type, with a warning. */
export const OWN_EVENT_TYPE_URL = 'healthctl.v1.Event';
const OWN_TOPICS = '/healthctl/';
/** Published until it is received, which proves that the subscription is live. */
const MARK_TOPIC = `${OWN_TOPICS}mark`;
const MARK_EVERY_MS = 50;
const LIVE_LIMIT_MS = 10_000;

export function openEvents(rpc: Rpc, clock: Clock): Events {
  const { publish: publishMethod, subscribe: subscribeMethod } = Service.methods;
  const publish: Events['publish'] = async ({ topic, json }) => {
    await rpc.call(Service, publishMethod, { topic, event: { typeUrl: OWN_EVENT_TYPE_URL, value: Buffer.from(json) } });
  };
  return {
    publish,
    subscribe: async ({ signal, ...what }) => {
      const filters = 'endOf' in what ? filtersForEnd(what.endOf) : filtersWithout(what.withoutExecs);
      const failed = new AbortController();
      const call = { signal: AbortSignal.any([signal, failed.signal]) };
      const envelopes = rpc.stream(Service, subscribeMethod, { filters }, call)[Symbol.asyncIterator]();
      const mark = JSON.stringify({ mark: randomHex(8) });
      const early: ContainerdEvent[] = [];
      const live = new AbortController();
      const marking = keepMarking(() => publish({ topic: MARK_TOPIC, json: mark }), clock, live.signal);
      try {
        for (;;) {
          const { value, done } = await Promise.race([envelopes.next(), marking]);
          if (done) throw new HealthctlError('UNAVAILABLE', 'containerd ended the stream of events');
          const event = eventFromEnvelope(value);
          if (event?.kind === 'own' && event.json === mark) break;
          if (event) early.push(event);
        }
      } catch (error) {
        failed.abort();
        throw error;
      } finally {
        live.abort();
        marking.catch(() => undefined); // a mark that was on its way
      }
      return eventsOf(envelopes, early);
    },
  };
}

/** Publishes the mark repeatedly, because one before the subscription is lost. Only ever rejects. */
async function keepMarking(mark: () => Promise<void>, clock: Clock, until: AbortSignal): Promise<never> {
  const deadline = clock.monotonic() + LIVE_LIMIT_MS;
  while (clock.monotonic() < deadline && !until.aborted) {
    await mark();
    await clock.sleep(MARK_EVERY_MS, until);
  }
  throw new HealthctlError('TIMEOUT', 'containerd did not deliver events in time');
}

async function* eventsOf(
  envelopes: AsyncIterator<Envelope>,
  early: readonly ContainerdEvent[],
): AsyncIterable<ContainerdEvent> {
  try {
    yield* early;
    for (;;) {
      const { value, done } = await envelopes.next();
      if (done) throw new HealthctlError('UNAVAILABLE', 'containerd ended the stream of events');
      const event = eventFromEnvelope(value);
      if (event && !(event.kind === 'own' && event.topic === MARK_TOPIC)) yield event;
    }
  } finally {
    await envelopes.return?.();
  }
}

/**
 * What the exchange sends, in containerd's filter syntax; filters are alternatives. Go's regular expressions cannot
 * express "does not begin with", so it is spelled out.
 */
function filtersWithout(execPrefix: string): readonly string[] {
  const other = JSON.stringify(notBeginningWith(execPrefix));
  return [
    'topic~="^/(containers|images|healthctl)/"',
    'topic~="^/tasks/(create|start|delete|oom|paused|resumed)$"',
    `topic=="/tasks/exit",event.id~=${other}`,
    `topic~="^/tasks/exec-",event.exec_id~=${other}`,
  ];
}

function filtersForEnd(id: string): readonly string[] {
  return [`topic=="/tasks/exit",event.id==${JSON.stringify(id)}`, `topic==${JSON.stringify(MARK_TOPIC)}`];
}

function notBeginningWith(prefix: string): string {
  const alternatives = [...prefix].map((character, index) => `${prefix.slice(0, index)}($|[^${character}])`);
  return `^(${alternatives.join('|')})`;
}

/** Undefined for an unknown or invalid event: other programs publish too. */
export function eventFromEnvelope(envelope: Envelope): ContainerdEvent | undefined {
  const { namespace, topic, event } = envelope;
  if (!event) return undefined;
  try {
    const fact = factOf(topic, event.value, event.typeUrl);
    return fact && { ...fact, namespace, atMs: millisFromTimestamp(envelope.timestamp) ?? 0 };
  } catch {
    return undefined;
  }
}

function factOf(topic: string, bytes: Uint8Array, typeUrl: string): EventFact | undefined {
  switch (topic) {
    case '/containers/create':
      return { kind: 'container-created', ...ContainerCreate.decode(bytes) };
    case '/containers/update': {
      const { id, labels } = ContainerUpdate.decode(bytes);
      return { kind: 'container-updated', id, labels };
    }
    case '/containers/delete':
      return { kind: 'container-deleted', ...ContainerDelete.decode(bytes) };
    case '/tasks/start': {
      const { containerId: id, pid } = TaskStart.decode(bytes);
      return { kind: 'task-started', id, pid };
    }
    case '/tasks/exit':
      return exitFact(TaskExit.decode(bytes));
    case '/tasks/create':
      return { kind: 'task-created', id: TaskOfContainer.decode(bytes).containerId };
    case '/tasks/delete':
      return { kind: 'task-deleted', id: TaskOfContainer.decode(bytes).containerId };
    case '/tasks/oom':
      return { kind: 'task-oom', id: TaskOfContainer.decode(bytes).containerId };
    case '/tasks/paused':
      return { kind: 'task-paused', id: TaskOfContainer.decode(bytes).containerId };
    case '/tasks/resumed':
      return { kind: 'task-resumed', id: TaskOfContainer.decode(bytes).containerId };
    case '/tasks/exec-added':
    case '/tasks/exec-started': {
      const { containerId: id, execId } = TaskExec.decode(bytes);
      return { kind: topic === '/tasks/exec-added' ? 'exec-added' : 'exec-started', id, execId };
    }
    case '/images/create':
      return { kind: 'image-created', ...ImageNamed.decode(bytes) };
    case '/images/update':
      return { kind: 'image-updated', ...ImageNamed.decode(bytes) };
    case '/images/delete':
      return { kind: 'image-deleted', ...ImageNamed.decode(bytes) };
    default:
      if (!topic.startsWith(OWN_TOPICS) || typeUrl !== OWN_EVENT_TYPE_URL) return undefined;
      return { kind: 'own', topic, json: Buffer.from(bytes).toString('utf8') };
  }
}

function exitFact({ containerId, id, pid, exitStatus, exitedAt }: TaskExit): EventFact {
  if (id !== containerId) return { kind: 'exec-exited', id: containerId, execId: id, exitStatus };
  return { kind: 'task-exited', id: containerId, pid, exitStatus, exitedAtMs: millisFromTimestamp(exitedAt) ?? 0 };
}
