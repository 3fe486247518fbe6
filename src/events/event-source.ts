import type { TimeRange } from './event-log.ts';
import type { HostEvent } from './host-event.ts';

/** The requested part of past and future. */
export interface EventRange extends TimeRange {
  /** Ends the iteration, which then throws ABORTED. */
  readonly signal: AbortSignal;
}

/**
 * A source of events.
 *
 * With `sinceMs` or `untilMs`, it yields the known past first, as Docker does. Then, unless `untilMs` is past, it
 * yields each event as it happens, in order, until `untilMs`; without one it never ends. Past and present join without
 * gaps or duplicates.
 */
export interface EventSource {
  events(range: EventRange): AsyncIterable<HostEvent>;
}
