import type { ContainerRecord, Containers } from '../containerd/containers.ts';
import type { ContainerdEvent } from '../containerd/events.ts';
import type { Clock } from '../lib/clock.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { type ContainerFacts, containerEventFrom, containerOf, type HostEvent, imageEventFrom } from './host-event.ts';

/** How records are read: what a container and an image are called is not for this room to say. */
export interface FactsReader {
  ofRecord(record: ContainerRecord): ContainerFacts;
  /** What labels alone tell, when they have changed. @param known the facts before the change: a label that containerd cannot hold stays */
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
 * What is known of containers, fed by lists and by events, so that an event can be told with the name, image and labels of its container
 * although containerd's own says only an id, and may come when the container is gone.
 *
 * Its memory is bounded by the containers that there are: facts are forgotten a while after their container.
 */
export interface FactsBook {
  /** All containers of a namespace as they are now. Those that are not among them are gone. */
  learn(namespace: string, records: readonly ContainerRecord[]): void;
  /**
   * The event in Docker's words; undefined for one that Docker has no word for. The results come in the order of the calls, although
   * containerd may have to be asked. Never rejects: of a container that cannot be asked for, the id is told.
   */
  translate(event: ContainerdEvent): Promise<HostEvent | undefined>;
  /** How many containers it knows. */
  readonly size: number;
}

/** How long facts outlive their container: events of its end may still be on their way. */
const KEEP_GONE_MS = 60_000;
/** Of asking containerd. */
const ASK_LIMIT_MS = 5_000;

interface Entry {
  facts: ContainerFacts;
  /** When the container was gone, on the monotonic clock. */
  goneAtMs?: number;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createFactsBook({ containersOf, read, clock, log }: FactsBookParts): FactsBook {
  const entries = new Map<string, Entry>();
  const keyOf = (namespace: string, id: string): string => `${namespace}/${id}`;
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
  /** Gone already, or not to be asked for: what the event itself tells. */
  const unknown = (event: ContainerdEvent, id: string): ContainerFacts => ({
    name: id,
    image: event.kind === 'container-created' ? read.imageName(event.image) : '',
    labels: {},
  });

  /** The entry of an event's container as it is after the event. */
  const entryFor = async (event: ContainerdEvent, id: string): Promise<Entry> => {
    const key = keyOf(event.namespace, id);
    const known = event.kind === 'container-created' ? undefined : entries.get(key);
    if (known === undefined) {
      const asked = await ask(event, id);
      forgetGone();
      return asked ? put(key, asked) : put(key, unknown(event, id), clock.monotonic());
    }
    if (event.kind === 'container-updated') {
      const told = read.ofLabels(id, event.labels, known.facts);
      known.facts = { ...known.facts, ...told, started: laterStart(known.facts.started, told.started) };
    }
    return known;
  };

  const translate = async (event: ContainerdEvent): Promise<HostEvent | undefined> => {
    if ('name' in event) return imageEventFrom(event, read.imageName(event.name));
    const id = containerOf(event);
    if (id === undefined || event.kind === 'task-created' || event.kind === 'task-deleted') return undefined;
    const entry = await entryFor(event, id);
    if (event.kind === 'task-started') entry.facts = { ...entry.facts, started: { pid: event.pid, atMs: event.atMs } };
    const told = containerEventFrom(event, entry.facts);
    if (event.kind === 'container-deleted') {
      forgetGone();
      entry.goneAtMs = clock.monotonic();
    }
    return told;
  };

  return {
    learn: (namespace, records) => {
      const nowMs = clock.monotonic();
      const present = new Set(records.map(({ id }) => keyOf(namespace, id)));
      for (const [key, entry] of entries) {
        if (key.startsWith(`${namespace}/`) && !present.has(key)) entry.goneAtMs ??= nowMs;
      }
      forgetGone();
      for (const record of records) {
        const key = keyOf(namespace, record.id);
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
