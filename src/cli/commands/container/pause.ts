import { pauseContainer } from '../../../container/pause.ts';
import { resolveView } from '../../../container/resolve.ts';
import type { Command } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName } from '../../each.ts';
import { tellMonitor } from '../../monitor/announce-change.ts';
import { endTimer, makeTimer } from '../../monitor/timers.ts';

/** `healthctl pause`: Docker's. */
export const pause: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  options: [],
  args: { min: 1 },
  run: (world, { args }) => runPause(world, args),
};

async function runPause(world: ContainerWorld, names: readonly string[]) {
  const ctx = await openContainers(world);
  return forEachName(names, async (name) => {
    const view = await resolveView(ctx, name, world);
    await endTimer(world, ctx, view.record.id);
    try {
      await pauseContainer(ctx, view);
    } catch (error) {
      await makeTimer(world, ctx, { id: view.record.id, isResumed: true });
      throw error;
    }
    await tellMonitor(world, view.record.id);
  });
}
