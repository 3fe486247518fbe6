import { unpauseContainer } from '../../../container/pause.ts';
import { resolveView } from '../../../container/resolve.ts';
import type { Command } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName } from '../../each.ts';
import { PAUSED } from '../../flags/values.ts';
import { announceChange } from '../../monitor/announce-change.ts';

/** `healthctl unpause`: Docker's. */
export const unpause: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  options: [],
  args: { min: 1 },
  complete: [PAUSED],
  run: (world, { args }) => runUnpause(world, args),
};

async function runUnpause(world: ContainerWorld, names: readonly string[]) {
  const ctx = await openContainers(world);
  return forEachName(names, async (name) => {
    const view = await resolveView(ctx, name, world);
    await unpauseContainer(ctx, view);
    await announceChange(world, ctx, view.record.id, { kind: 'resumed' });
  });
}
