import type { Command } from '../../command.ts';
import { startMonitor } from '../../monitor.ts';

/** `healthctl daemon start`: in the background, unless it runs. */
export const start: Command = {
  usage: '',
  description: 'Start the monitor in the background, unless it runs.',
  options: [],
  args: { min: 0, max: 0 },
  run: async (world) => {
    await startMonitor(world);
    return {};
  },
};
