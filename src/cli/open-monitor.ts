import { createDaemonClient, type DaemonClient } from '../daemon/client.ts';
import { ownerOf } from '../daemon/owner.ts';
import { daemonPlacesOf } from '../daemon/places.ts';
import type { World } from '../world.ts';

/** Of the calls in which the monitor was asked and said nothing: it is not waited for a second time. */
const silent = new WeakSet<World['settings']>();

const NO_MONITOR: DaemonClient = {
  isSilent: true,
  unanswered: { kind: 'silent' },
  ask: async () => undefined,
  send: async () => undefined,
  follow: async () => undefined,
};

/** The monitor of this containerd, whether it runs or not: nothing is asked yet. */
export function openMonitor({ settings, log }: Pick<World, 'settings' | 'log'>): DaemonClient {
  if (silent.has(settings)) return NO_MONITOR;
  const places = daemonPlacesOf(settings);
  return createDaemonClient(places.apiSocket, {
    onSilent: () => {
      if (!silent.has(settings))
        log.warn(`the monitor, process ${ownerOf(places)}, does not answer: containerd is asked instead`);
      silent.add(settings);
    },
  });
}
