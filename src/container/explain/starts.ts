import type { HostEvent } from '../../events/host-event.ts';
import type { StartTaken } from '../../health/diagnosis/diagnose.ts';

/** Starts to look at: an application changes over time. */
const MAX_STARTS = 10;

/**
 * How long the last starts of a container took until it was healthy, from the events of its namespace, oldest first.
 * One that ended before does not count.
 */
export function startsFrom(events: readonly HostEvent[], id: string): readonly StartTaken[] {
  const starts: StartTaken[] = [];
  let begun: { readonly atMs: number; wasUnhealthy: boolean } | undefined;
  for (const { type, action, atMs, id: of } of events) {
    if (type !== 'container' || of !== id) continue;
    if (action === 'start') begun = { atMs, wasUnhealthy: false };
    else if (action === 'die') begun = undefined;
    else if (action === 'health_status: unhealthy' && begun) begun.wasUnhealthy = true;
    else if (action === 'health_status: healthy' && begun) {
      starts.push({ ms: Math.max(0, atMs - begun.atMs), wasUnhealthy: begun.wasUnhealthy });
      begun = undefined;
    }
  }
  return starts;
}

/** Those to judge by. */
export const lastStarts = (starts: readonly StartTaken[]): readonly StartTaken[] => starts.slice(-MAX_STARTS);
