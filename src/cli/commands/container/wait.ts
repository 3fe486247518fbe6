import { resolveView } from '../../../container/resolve.ts';
import { waitContainer } from '../../../container/wait.ts';
import type { Command } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName } from '../../each.ts';

/** `healthctl wait`: Docker's. Prints the exit codes in the order of the containers. */
export const wait: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  options: [],
  args: { min: 1 },
  run: (world, { args }) => runWait(world, args),
};

async function runWait(world: ContainerWorld, names: readonly string[]) {
  const ctx = await openContainers(world);
  return forEachName(names, async (name) => {
    const view = await resolveView(ctx, name, world);
    return String(await waitContainer(ctx, view, world.signal));
  });
}
