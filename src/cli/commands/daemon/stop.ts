import { findClaimHolder } from '../../../daemon/monitor-claim.ts';
import type { Command } from '../../command.ts';
import { stopMonitor } from '../../monitor/stop.ts';

/** `healthctl daemon stop`: resolves when it has ended; it is no error if none runs. */
export const stop: Command = {
  usage: '',
  description: 'End the monitor, and wait until it has ended.',
  options: [],
  args: { min: 0, max: 0 },
  run: async (world) => {
    await stopMonitor(world);
    const { address, namespace, runRoot } = world.settings;
    const owner = await findClaimHolder({ address, namespace }, world.clock);
    if (owner === undefined || owner.runRoot === runRoot) return {};
    return {
      warnings: [
        `another monitor of this containerd runs on: process ${owner.pid}, with the run root ${owner.runRoot}`,
      ],
    };
  },
};
