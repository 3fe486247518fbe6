import { createDaemonClient, type DaemonClient } from '../daemon/client.ts';
import { daemonPlacesOf } from '../daemon/places.ts';
import type { World } from '../world.ts';

/** The monitor of this containerd, whether it runs or not: nothing is asked yet. */
export function openMonitor({ settings }: Pick<World, 'settings'>): DaemonClient {
  return createDaemonClient(daemonPlacesOf(settings).apiSocket);
}
