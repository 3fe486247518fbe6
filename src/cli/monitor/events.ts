import { identityOf, OVERLAP_MS, warnOfGaps } from '../../events/containerd-event-source.ts';
import { hostEventFromValue } from '../../events/event-log-line.ts';
import type { EventRange, EventSource } from '../../events/event-source.ts';
import type { HostEvent } from '../../events/host-event.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode } from '../../lib/errors.ts';
import type { World } from '../../world.ts';
import { openMonitor } from './open.ts';

export type EventWorld = Pick<World, 'containerd' | 'clock' | 'log' | 'settings'>;

/** Opens the source of `events`. */
export async function openEventSource(world: EventWorld): Promise<EventSource> {
  const [containerd, { containerdEventSource }, { eventLogDir }, { factsReader }, { CHECK_EXEC_PREFIX }] =
    await Promise.all([
      world.containerd(),
      import('../../events/containerd-event-source.ts'),
      import('../../events/event-log.ts'),
      import('../../events/facts-reader.ts'),
      import('../../probe/check-execs.ts'),
    ]);
  const { clock, log, settings } = world;
  const logDir = eventLogDir({ runRoot: settings.runRoot, address: containerd.address });
  const direct = containerdEventSource({
    containerd,
    read: factsReader,
    clock,
    log,
    logDir,
    withoutExecs: CHECK_EXEC_PREFIX,
  });
  const { namespace } = settings;
  const open = async (range: EventRange): Promise<Opened> => {
    const lines = await openMonitor(world).follow(eventsPath(namespace, range), range.signal);
    if (!lines) return { events: direct.events(range), isFromMonitor: false };
    if (range.sinceMs !== undefined) warnOfGaps({ clock, log, logDir }, range.sinceMs, range.untilMs);
    return { events: eventsIn(lines), isFromMonitor: true };
  };
  return { events: (range) => withoutEnd(open, range, clock) };
}

interface Opened {
  readonly events: AsyncIterable<HostEvent>;
  readonly isFromMonitor: boolean;
}

async function* eventsIn(lines: AsyncIterable<string>): AsyncIterable<HostEvent> {
  for await (const line of lines) {
    const event = hostEventFromValue(JSON.parse(line));
    if (event) yield event;
  }
}

/**
 * Continues when the followed monitor ends: with the next one, or with containerd. The monitor's last events are
 * requested once more and shown once.
 */
export async function* withoutEnd(
  open: (range: EventRange) => Promise<Opened>,
  range: EventRange,
  clock: Pick<Clock, 'now'>,
): AsyncGenerator<HostEvent> {
  const shown = new Map<string, number>();
  const beganMs = clock.now();
  let lastMs = beganMs;
  let { sinceMs } = range;
  let isFirst = true;
  for (;;) {
    const { events, isFromMonitor } = await open({ ...range, ...(sinceMs === undefined ? {} : { sinceMs }) });
    try {
      for await (const event of events) {
        const identity = identityOf(event);
        if (!isFirst && shown.has(identity)) continue;
        lastMs = Math.max(lastMs, event.atMs);
        if (isFromMonitor) remember(shown, identity, event.atMs);
        yield event;
      }
      return;
    } catch (error) {
      if (!isFromMonitor || !hasCode(error, 'UNAVAILABLE') || range.signal.aborted) throw error;
      sinceMs = Math.max(range.sinceMs ?? beganMs, lastMs - OVERLAP_MS);
      isFirst = false;
    }
  }
}

/** Remembers a shown event, and forgets those that are too old to be requested again: memory stays bounded. */
function remember(shown: Map<string, number>, identity: string, atMs: number): void {
  shown.set(identity, atMs);
  for (const [oldest, oldMs] of shown) {
    if (oldMs >= atMs - 2 * OVERLAP_MS) return;
    shown.delete(oldest);
  }
}

function eventsPath(namespace: string, { sinceMs, untilMs }: EventRange): string {
  const query = new URLSearchParams({ namespace });
  if (sinceMs !== undefined) query.set('since', `${sinceMs}`);
  if (untilMs !== undefined) query.set('until', `${untilMs}`);
  return `/events?${query}`;
}
