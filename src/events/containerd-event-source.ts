import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { counted } from '../lib/counted.ts';
import { hasCode } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { createFactsBook, type FactsReader } from './container-facts.ts';
import { gapsIn, type Period, readEventLog } from './event-log.ts';
import type { EventRange, EventSource } from './event-source.ts';
import type { HostEvent } from './host-event.ts';

export interface ContainerdEventSourceParts {
  /** Only events of its namespace are shown. */
  readonly containerd: Pick<Containerd, 'namespace' | 'events' | 'containers'>;
  readonly read: FactsReader;
  readonly clock: Clock;
  /** Receives a warning about the part of the past that is unknown. */
  readonly log: Logger;
  /** Directory of the event log of a present or past monitor. */
  readonly logDir: string;
  /** Execs with this id prefix are not shown. */
  readonly withoutExecs: string;
}

/** Events directly from containerd, which stores none: the past comes from what a monitor recorded. */
export function containerdEventSource(parts: ContainerdEventSourceParts): EventSource {
  return { events: (range) => eventsOf(parts, range) };
}

async function* eventsOf(parts: ContainerdEventSourceParts, range: EventRange): AsyncGenerator<HostEvent> {
  const { sinceMs, untilMs } = range;
  const nowMs = parts.clock.now();
  if (untilMs !== undefined && untilMs < nowMs) {
    yield* pastOf(parts, { sinceMs, toMs: untilMs });
    return;
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([range.signal, stop.signal]);
  let isDue = false;
  const end = async (afterMs: number): Promise<void> => {
    await parts.clock.sleep(afterMs, signal);
    isDue = !signal.aborted;
    stop.abort();
  };
  if (untilMs !== undefined) void end(untilMs - nowMs);
  try {
    const live = await liveOf(parts, signal);
    // Subscribe first: events that happen while the past is read come from the subscription too, and are shown once.
    const asksForPast = sinceMs !== undefined || untilMs !== undefined;
    const past = asksForPast ? pastOf(parts, { sinceMs, toMs: parts.clock.now() }) : [];
    const shown = new Set(past.filter(({ atMs }) => atMs >= nowMs - OVERLAP_MS).map(identityOf));
    yield* past;
    for await (const event of live) {
      if (untilMs !== undefined && event.atMs > untilMs) return;
      if (!shown.delete(identityOf(event))) yield event;
    }
  } catch (error) {
    if (!(isDue && hasCode(error, 'ABORTED'))) throw error;
  } finally {
    stop.abort();
  }
}

/** The clocks of containerd and this process are the same; an event takes a moment to arrive. */
export const OVERLAP_MS = 10_000;

export const identityOf = ({ type, action, id, atMs, attributes }: HostEvent): string =>
  JSON.stringify([type, action, id, atMs, attributes.execID]);

/** Resolves when the subscription is live. */
async function liveOf(
  { containerd, read, clock, log, withoutExecs }: ContainerdEventSourceParts,
  signal: AbortSignal,
): Promise<AsyncIterable<HostEvent>> {
  const { namespace, containers, events } = containerd;
  const subscription = await events.subscribe({ signal, withoutExecs });
  const book = createFactsBook({ containersOf: () => containers, read, clock, log });
  book.applyList(namespace, await containers.list([], { signal }));
  return (async function* () {
    for await (const event of subscription) {
      if (event.namespace !== namespace) continue;
      const hostEvent = await book.translate(event);
      if (hostEvent) yield hostEvent;
    }
  })();
}

/** With a start time the user gets a warning about gaps; without one, whatever is recorded. */
function pastOf(
  { containerd, logDir, log }: ContainerdEventSourceParts,
  { sinceMs, toMs }: { readonly sinceMs: number | undefined; readonly toMs: number },
): readonly HostEvent[] {
  const { events, known } = readEventLog(logDir, { sinceMs, untilMs: toMs });
  if (sinceMs !== undefined) logGaps(log, gapsIn(known, { fromMs: sinceMs, toMs }));
  return events.filter(({ namespace }) => namespace === containerd.namespace);
}

/** Warns about gaps, if the past comes from a running monitor, which knows everything since its start. */
export function warnOfGaps(
  { clock, log, logDir }: Pick<ContainerdEventSourceParts, 'clock' | 'log' | 'logDir'>,
  sinceMs: number,
  untilMs = clock.now(),
): void {
  const { known } = readEventLog(logDir);
  const beganMs = known.at(-1)?.fromMs ?? clock.now();
  logGaps(log, gapsIn(known, { fromMs: sinceMs, toMs: Math.min(untilMs, beganMs) }));
}

function logGaps(log: Logger, gaps: readonly Period[]): void {
  if (gaps.length > 0) log.warn(`${gapsText(gaps)}: no monitor recorded them`);
}

/** Of many gaps, the last ones: only those a user can still investigate. */
const SHOWN_GAPS = 3;

function gapsText(gaps: readonly Period[]): string {
  const time = (ms: number): string => new Date(ms).toISOString();
  const shown = gaps.slice(-SHOWN_GAPS).map(({ fromMs, toMs }) => `between ${time(fromMs)} and ${time(toMs)}`);
  const others = gaps.length > SHOWN_GAPS ? `, nor in ${counted(gaps.length - SHOWN_GAPS, 'earlier period')}` : '';
  return `no events are known ${shown.join(', nor ')}${others}`;
}
