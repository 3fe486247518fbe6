import { type Guard, isNumber, isText, mapOf, objectIn, objectOf, oneOf, parseJsonText } from '../lib/shape.ts';
import type { HostEvent } from './host-event.ts';

/** A line of the event log. */
export type LogEntry =
  | { readonly kind: 'event'; readonly event: HostEvent }
  /** A writer opened the log: events are known from here on, but not between the previous entry and this one. */
  | { readonly kind: 'began'; readonly atMs: number }
  /** The writer closed it. */
  | { readonly kind: 'ended'; readonly atMs: number }
  /** A new segment begins, without a gap. */
  | { readonly kind: 'goes-on'; readonly atMs: number };

/**
 * `{"began":1767225600000}`, `{"ended":…}`, `{"goesOn":…}`, or the event: `{"type":"container","action":"start",…}`.
 */
export function lineFromEntry(entry: LogEntry): string {
  switch (entry.kind) {
    case 'event': {
      const { type, action, id, namespace, atMs, attributes } = entry.event;
      return JSON.stringify({ type, action, id, namespace, atMs, attributes });
    }
    case 'began':
      return JSON.stringify({ began: entry.atMs });
    case 'ended':
      return JSON.stringify({ ended: entry.atMs });
    case 'goes-on':
      return JSON.stringify({ goesOn: entry.atMs });
  }
}

/** Undefined for any other line. */
export function entryFromLine(line: string): LogEntry | undefined {
  const value = objectIn(parseJsonText(line));
  if (isTime(value.began)) return { kind: 'began', atMs: value.began };
  if (isTime(value.ended)) return { kind: 'ended', atMs: value.ended };
  if (isTime(value.goesOn)) return { kind: 'goes-on', atMs: value.goesOn };
  const event = hostEventFromValue(value);
  return event && { kind: 'event', event };
}

/** A host event from JSON; undefined for any other value. */
export function hostEventFromValue(value: unknown): HostEvent | undefined {
  if (!isHostEvent(value)) return undefined;
  const { type, action, id, namespace, atMs, attributes } = value;
  return { type, action, id, namespace, atMs, attributes };
}

const isTime: Guard<number> = (value): value is number => isNumber(value) && Number.isFinite(value);

const isHostEvent = objectOf({
  ...{ type: oneOf(['container', 'image', 'network', 'volume']), action: isText, id: isText, namespace: isText },
  ...{ atMs: isTime, attributes: mapOf(isText) },
});
