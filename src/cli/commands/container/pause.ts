import { pauseContainer } from '../../../container/pause.ts';
import { resolveView } from '../../../container/resolve.ts';
import type { Command } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName } from '../../each.ts';
import { RUNNING } from '../../flags/values.ts';
import { announceChange } from '../../monitor/announce-change.ts';

/** `healthctl pause`: Docker's. */
export const pause: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  options: [],
  args: { min: 1 },
  complete: [RUNNING],
  run: (world, { args }) => runPause(world, args),
};

async function runPause(world: ContainerWorld, names: readonly string[]) {
  const ctx = await openContainers(world);
  return forEachName(names, async (name) => {
    const view = await resolveView(ctx, name, world);
    await announceChange(world, ctx, view.record.id, { kind: 'pausing' });
    try {
      await pauseContainer(ctx, view);
    } catch (error) {
      await announceChange(world, ctx, view.record.id, { kind: 'resumed' });
      throw error;
    }
    await announceChange(world, ctx, view.record.id, { kind: 'changed' });
  });
}
