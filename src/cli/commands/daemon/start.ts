import { systemd } from '../../../system/systemd.ts';
import type { Command } from '../../command.ts';
import { startMonitor } from '../../monitor/announce-change.ts';
import { stopMonitor } from '../../monitor/stop.ts';
import { makeAllTimers, usesTimers } from '../../monitor/timers.ts';

/**
 * `healthctl daemon start`: from now on a monitor in the background, or systemd timers, make the checks, as configured.
 */
export const start: Command = {
  usage: '',
  description:
    'Start the monitor in the background, unless it runs. With scheduler = "systemd": end it, and make a timer for each container that runs.',
  options: [],
  args: { min: 0, max: 0 },
  run: async (world) => {
    if (usesTimers(world)) {
      systemd.require('leave scheduler = "systemd" out of the configuration');
      await stopMonitor(world);
      await makeAllTimers(world);
    } else {
      await startMonitor(world);
    }
    return {};
  },
};
