import { daemonPathsOf } from '../../daemon/daemon-paths.ts';
import { drainDaemon } from '../../daemon/drain.ts';
import { stopUnit } from '../../daemon/service-unit/install.ts';
import { isSystemdRunning } from '../../system/systemd.ts';
import type { World } from '../../world.ts';

/**
 * Ends the monitor of this containerd, and waits until it has released everything. It is no error if none runs. Throws
 * TIMEOUT, ABORTED.
 */
export async function stopMonitor(world: Pick<World, 'settings' | 'clock' | 'signal'>): Promise<void> {
  if (isSystemdRunning()) await stopUnit(world.settings);
  await drainDaemon(daemonPathsOf(world.settings), world);
}
