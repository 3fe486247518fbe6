import type { Containerd } from '../../containerd/client.ts';
import type { ContainerRecord } from '../../containerd/containers.ts';
import type { ContainerdEvent } from '../../containerd/events.ts';
import { createFactsBook } from '../../events/container-facts.ts';
import { eventLogDir, openEventLog, readEventLog, type TimeRange } from '../../events/event-log.ts';
import { factsReader } from '../../events/facts-reader.ts';
import type { HostEvent } from '../../events/host-event.ts';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import { randomHex } from '../../lib/random.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import { missedEvents, onceKeyOf } from '../missed-events.ts';
import type { EventStreams } from '../routes.ts';
import { createEventFollower } from './event-follower.ts';

export interface EventHubDeps {
  /** For a monitored namespace. */
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly runRoot: string;
}

/** Events in Docker's words: stored in the ring, and sent to all followers. */
export interface EventHub extends EventStreams {
  /** Call it with each event of containerd, in order. */
  receive(event: ContainerdEvent): void;
  /** All containers of a namespace, so that events can show the name of one without earlier events. */
  applyList(namespace: string, records: readonly ContainerRecord[]): void;
  /**
   * Records events that happened without a monitor, derived from the containers: see missedEvents. Call it once, after
   * the first list.
   */
  recordMissed(containers: Iterable<KnownContainer>): Promise<void>;
  /** As `open`, with the events themselves. */
  follow(range: HubRange): (give: (event: HostEvent) => Promise<void>, signal: AbortSignal) => Promise<void>;
  readonly followers: number;
  /** Resolves when all received events are written. */
  close(): Promise<void>;
}

/** An event that returns through containerd after everything that happened before it. */
const BARRIER_TOPIC = '/healthctl/barrier';
const BARRIER_LIMIT_MS = 1_000;
/** How long an event may still be under way that was already derived from the first list. */
const DERIVED_MS = 60_000;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function openEventHub({ containerd, clock, log, runRoot }: EventHubDeps): EventHub {
  const dir = eventLogDir({ runRoot, address: containerd.address });
  // Times in the future were recorded before the clock was set back.
  const noted = readEventLog(dir).known.map(({ toMs }) => toMs);
  const knownUntilMs = Math.min(clock.now(), Math.max(0, ...noted));
  const ring = openEventLog({ dir, clock, log });
  /** Derived events that may still arrive. */
  const derived = new Set<string>();
  let forgetting: { cancel(): void } | undefined;
  const containersOf = (namespace: string) => containerd.inNamespace(namespace).containers;
  const book = createFactsBook({ containersOf, read: factsReader, clock, log });
  const followers = new Set<(event: HostEvent) => void>();
  const barriers = new Map<string, () => void>();
  let received: Promise<unknown> = Promise.resolve();

  /** Resolves when all events up to now are in the ring, or after a second. */
  const barrier = async (): Promise<void> => {
    const json = JSON.stringify({ barrier: randomHex(8) });
    const passed = new AbortController();
    barriers.set(json, () => passed.abort());
    try {
      await containerd.events.publish({ topic: BARRIER_TOPIC, json });
      await clock.sleep(BARRIER_LIMIT_MS, passed.signal);
      await received;
    } finally {
      barriers.delete(json);
    }
  };

  const follow: EventHub['follow'] = (range) => {
    const asksForPast = range.sinceMs !== undefined || range.untilMs !== undefined;
    const isOf = (namespace: string): boolean => range.namespace === undefined || namespace === range.namespace;
    return async (give, signal) => {
      if (asksForPast) await barrier();
      const untilMs = range.untilMs ?? Number.POSITIVE_INFINITY;
      const follower = createEventFollower(({ namespace, atMs }) => isOf(namespace) && atMs <= untilMs);
      followers.add(follower.take);
      try {
        // In the same turn as the line above: no event is lost or sent twice in between.
        const past = asksForPast ? ring.read(range).filter(({ namespace }) => isOf(namespace)) : [];
        const due = untilMs === Number.POSITIVE_INFINITY ? undefined : clock.sleep(untilMs - clock.now(), signal);
        await follower.drain(give, { past, signal, due });
      } finally {
        followers.delete(follower.take);
      }
    };
  };

  return {
    get followers() {
      return followers.size;
    },
    applyList: book.applyList,
    receive: (event) => {
      if (event.kind === 'own' && event.topic === BARRIER_TOPIC) {
        barriers.get(event.json)?.();
        return;
      }
      const key = derived.size > 0 ? onceKeyOf(event) : undefined;
      const isRecorded = key !== undefined && derived.delete(key);
      received = book.translate(event).then((hostEvent) => {
        if (!hostEvent || isRecorded) return;
        ring.append(hostEvent);
        for (const follow of followers) follow(hostEvent);
      });
    },
    recordMissed: async (containers) => {
      for (let seen: unknown; seen !== received; ) {
        seen = received;
        await received;
      }
      // Synchronous: events from now on are compared with the derived ones.
      for (const { event, hostEvent } of missedEvents(containers, { events: ring.read({}), knownUntilMs })) {
        const key = onceKeyOf(event);
        if (key !== undefined) derived.add(key);
        ring.append(hostEvent);
      }
      forgetting = clock.after(DERIVED_MS, () => derived.clear());
    },
    follow,
    open: (query) => {
      const serve = follow(rangeFrom(query));
      return (write, signal) => serve((event) => write(JSON.stringify(event)), signal);
    },
    close: async () => {
      forgetting?.cancel();
      await received;
      ring.close();
    },
  };
}

/** A part of past and future. With an end of it the past is asked for. */
interface HubRange extends TimeRange {
  /** Undefined: all. */
  readonly namespace?: string | undefined;
}

/** `namespace`, `since` and `until`, times in milliseconds since the epoch. Throws USAGE for anything but a number. */
function rangeFrom(query: URLSearchParams): HubRange {
  const timeOf = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null) return undefined;
    const ms = Number(text);
    if (text === '' || !Number.isFinite(ms))
      throw new HealthctlError('USAGE', `${name} must be milliseconds since the epoch, not ${JSON.stringify(text)}`);
    return ms;
  };
  const [sinceMs, untilMs] = [timeOf('since'), timeOf('until')];
  return {
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    namespace: query.get('namespace') ?? undefined,
  };
}
