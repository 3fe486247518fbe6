import { warnOfGaps } from '../events/containerd-event-source.ts';
import { hostEventFromValue } from '../events/event-log-line.ts';
import type { EventRange, EventSource } from '../events/event-source.ts';
import type { World } from '../world.ts';
import { openMonitor } from './open-monitor.ts';

export type EventWorld = Pick<World, 'containerd' | 'clock' | 'log' | 'settings'>;

/** Where `events` gets its events from. */
export async function openEventSource(world: EventWorld): Promise<EventSource> {
  const [containerd, { containerdEventSource }, { eventLogDir }, { factsReader }, { CHECK_EXEC_PREFIX }] =
    await Promise.all([
      world.containerd(),
      import('../events/containerd-event-source.ts'),
      import('../events/event-log.ts'),
      import('../container/event-facts.ts'),
      import('../probe/check-execs.ts'),
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
  return {
    events: async function* (range) {
      const lines = await openMonitor(world).follow(eventsPath(namespace, range), range.signal);
      if (!lines) {
        yield* direct.events(range);
        return;
      }
      if (range.sinceMs !== undefined) warnOfGaps({ clock, log, logDir }, range.sinceMs, range.untilMs);
      for await (const line of lines) {
        const event = hostEventFromValue(JSON.parse(line));
        if (event) yield event;
      }
    },
  };
}

function eventsPath(namespace: string, { sinceMs, untilMs }: EventRange): string {
  const query = new URLSearchParams({ namespace });
  if (sinceMs !== undefined) query.set('since', `${sinceMs}`);
  if (untilMs !== undefined) query.set('until', `${untilMs}`);
  return `/events?${query}`;
}
