import type { ContainerRecord, Containers } from '../containerd/containers.ts';
import type { ContainerdEvent } from '../containerd/events.ts';
import type { Clock } from '../lib/clock.ts';
import { keyOf } from '../lib/container-key.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import {
  type ContainerFacts,
  containerEventFrom,
  containerOf,
  type HostEvent,
  imageEventFrom,
  objectEventFrom,
} from './host-event.ts';

/** How to read records: the names of containers and images are defined in another room. */
export interface FactsReader {
  ofRecord(record: ContainerRecord): ContainerFacts;
  /**
   * The facts in labels alone, after they have changed.
   * @param known the facts before the change: a label too long for containerd stays
   */
  ofLabels(
    id: string,
    labels: Readonly<Record<string, string>>,
    known: ContainerFacts,
  ): Pick<ContainerFacts, 'name' | 'labels' | 'started'>;
  /** The name of an image record as Docker shows it. */
  imageName(recordName: string): string;
}

export interface FactsBookParts {
  /** The containers of a namespace. */
  containersOf(namespace: string): Pick<Containers, 'get'>;
  readonly read: FactsReader;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Pick<Logger, 'debug'>;
}

/**
 * Facts about containers, from lists and events, so that an event can show name, image and labels of its container:
 * containerd's event has only an id, and may arrive after the container's removal.
 *
 * Its memory is bounded by the number of containers: facts are dropped a while after their container.
 */
export interface FactsBook {
  /** All present containers of a namespace. All others are gone. */
  applyList(namespace: string, records: readonly ContainerRecord[]): void;
  /**
   * The event in Docker's words; undefined if Docker has no word for it. Results keep the order of the calls, although
   * it may have to ask containerd. Never rejects: for a container that cannot be read, it shows the id.
   */
  translate(event: ContainerdEvent): Promise<HostEvent | undefined>;
  /** Number of known containers. */
  readonly size: number;
}

/** How long facts outlive their container: events of its end may still arrive. */
const KEEP_GONE_MS = 60_000;
/** Limit on a request to containerd. */
const ASK_LIMIT_MS = 5_000;

interface Entry {
  facts: ContainerFacts;
  /** When the container was removed, on the monotonic clock. */
  goneAtMs?: number;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createFactsBook({ containersOf, read, clock, log }: FactsBookParts): FactsBook {
  const entries = new Map<string, Entry>();
  let last: Promise<unknown> = Promise.resolve();

  const put = (key: string, facts: ContainerFacts, goneAtMs?: number): Entry => {
    const entry: Entry = { facts, ...(goneAtMs === undefined ? {} : { goneAtMs }) };
    entries.set(key, entry);
    return entry;
  };
  const forgetGone = (): void => {
    const nowMs = clock.monotonic();
    for (const [key, { goneAtMs }] of entries) {
      if (goneAtMs !== undefined && nowMs - goneAtMs > KEEP_GONE_MS) entries.delete(key);
    }
  };
  const ask = async ({ namespace }: ContainerdEvent, id: string): Promise<ContainerFacts | undefined> => {
    try {
      return read.ofRecord(await containersOf(namespace).get(id, { timeoutMs: ASK_LIMIT_MS }));
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) log.debug(`container ${id} cannot be asked for: ${messageOf(error)}`);
      return undefined;
    }
  };
  /** Already removed or not readable: the facts in the event itself. */
  const unknown = (event: ContainerdEvent, id: string): ContainerFacts => ({
    name: id,
    image: event.kind === 'container-created' ? read.imageName(event.image) : '',
    labels: {},
  });

  /** The entry of an event's container after the event. */
  const entryFor = async (event: ContainerdEvent, id: string): Promise<Entry> => {
    const key = keyOf({ namespace: event.namespace, id });
    const known = event.kind === 'container-created' ? undefined : entries.get(key);
    if (known === undefined) {
      const asked = await ask(event, id);
      forgetGone();
      return asked ? put(key, asked) : put(key, unknown(event, id), clock.monotonic());
    }
    if (event.kind === 'container-updated') {
      const changed = read.ofLabels(id, event.labels, known.facts);
      known.facts = { ...known.facts, ...changed, started: laterStart(known.facts.started, changed.started) };
    }
    return known;
  };

  const translate = async (event: ContainerdEvent): Promise<HostEvent | undefined> => {
    if ('name' in event) return imageEventFrom(event, read.imageName(event.name));
    const ofObject = objectEventFrom(event);
    if (ofObject) return ofObject;
    const id = containerOf(event);
    if (id === undefined || event.kind === 'task-created' || event.kind === 'task-deleted') return undefined;
    const entry = await entryFor(event, id);
    if (event.kind === 'task-started') entry.facts = { ...entry.facts, started: { pid: event.pid, atMs: event.atMs } };
    const hostEvent = containerEventFrom(event, entry.facts);
    if (event.kind === 'container-deleted') {
      forgetGone();
      entry.goneAtMs = clock.monotonic();
    }
    return hostEvent;
  };

  return {
    applyList: (namespace, records) => {
      const nowMs = clock.monotonic();
      const present = new Set(records.map(({ id }) => keyOf({ namespace, id })));
      for (const [key, entry] of entries) {
        if (key.startsWith(`${namespace}/`) && !present.has(key)) entry.goneAtMs ??= nowMs;
      }
      forgetGone();
      for (const record of records) {
        const key = keyOf({ namespace, id: record.id });
        const facts = read.ofRecord(record);
        put(key, { ...facts, started: laterStart(entries.get(key)?.facts.started, facts.started) });
      }
    },
    translate: (event) => {
      const next = last.then(() => translate(event));
      last = next;
      return next;
    },
    get size() {
      return entries.size;
    },
  };
}

function laterStart(a: ContainerFacts['started'], b: ContainerFacts['started']): ContainerFacts['started'] {
  if (a === undefined || b === undefined) return a ?? b;
  return b.pid !== a.pid && b.atMs > a.atMs ? b : a;
}
