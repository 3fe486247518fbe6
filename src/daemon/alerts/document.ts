import type { AlertEntry } from './alert-entry.ts';
import { isResolve } from './alert-entry.ts';
import type { AlertDocument, AlertEvent } from './alert-event.ts';

/** What is posted about an event. */
export function documentOf(
  event: AlertEvent,
  entry: Pick<AlertEntry, 'firing' | 'damped'>,
  host: string,
): AlertDocument {
  const { event: name, time, ...more } = event;
  return {
    ...{ event: name, time, host, ...more },
    ...(isResolve(entry, event) && entry.firing ? { unhealthySince: entry.firing.time } : {}),
    ...(entry.damped > 0 ? { damped: entry.damped } : {}),
  };
}
