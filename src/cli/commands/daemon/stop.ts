import type { Command } from '../../command.ts';
import { stopMonitor } from '../../stop-monitor.ts';

/** `healthctl daemon stop`: resolves when it has ended; one that does not run is fine. */
export const stop: Command = {
  usage: '',
  description: 'Ask the monitor to end, and wait until it has.',
  options: [],
  args: { min: 0, max: 0 },
  run: async (world) => {
    await stopMonitor(world);
    return {};
  },
};
