import type { EventSource } from '../events/event-source.ts';
import type { World } from '../world.ts';

export type EventWorld = Pick<World, 'containerd' | 'clock' | 'log' | 'settings'>;

/** Where `events` gets its events from. */
export async function openEventSource(world: EventWorld): Promise<EventSource> {
  const [containerd, { containerdEventSource }, { eventLogDir }, { factsReader }, { CHECK_EXEC_PREFIX }] =
    await Promise.all([
      world.containerd(),
      import('../events/containerd-event-source.ts'),
      import('../events/event-log.ts'),
      import('../container/event-facts.ts'),
      import('../probe/exec.ts'),
    ]);
  const { clock, log, settings } = world;
  const logDir = eventLogDir({ runRoot: settings.runRoot, address: containerd.address });
  return containerdEventSource({ containerd, read: factsReader, clock, log, logDir, withoutExecs: CHECK_EXEC_PREFIX });
}
