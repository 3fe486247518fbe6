import type { TimeRange } from './event-log.ts';
import type { HostEvent } from './host-event.ts';

/** What of the past and the future is wanted. */
export interface EventRange extends TimeRange {
  /** Ends the iteration, which throws ABORTED then. */
  readonly signal: AbortSignal;
}

/**
 * Where events come from.
 *
 * With `sinceMs` or `untilMs`, first what is known of the past, as Docker does it. Then, unless `untilMs` is past, what happens from now on,
 * each event as it comes, in order, until `untilMs`: the iteration ends then, and else never. Past and present join without a gap and
 * without telling an event twice.
 */
export interface EventSource {
  events(range: EventRange): AsyncIterable<HostEvent>;
}
