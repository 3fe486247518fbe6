import { drainDaemon } from '../../../daemon/drain.ts';
import { daemonPlacesOf } from '../../../daemon/places.ts';
import { stopUnit } from '../../../daemon/systemd.ts';
import { isSystemdRunning } from '../../../system/systemd.ts';
import type { Command } from '../../command.ts';

/** `healthctl daemon stop`: resolves when it has ended; one that does not run is fine. */
export const stop: Command = {
  usage: '',
  description: 'Ask the monitor to end, and wait until it has.',
  options: [],
  args: { min: 0, max: 0 },
  run: async (world) => {
    if (isSystemdRunning()) await stopUnit(world.settings);
    await drainDaemon(daemonPlacesOf(world.settings), world);
    return {};
  },
};
