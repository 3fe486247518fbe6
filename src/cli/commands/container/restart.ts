import { resolveView } from '../../../container/resolve.ts';
import { restartContainer } from '../../../container/restart.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName, withPrefix } from '../../each.ts';
import { CONTAINER } from '../../flags/values.ts';
import { announceChange } from '../../monitor/announce-change.ts';
import { stopOptionSpecs, stopOptionsFrom } from './stop.ts';

/** `healthctl restart`: Docker's. */
export const restart: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: stopOptionSpecs,
  args: { min: 1 },
  complete: [CONTAINER],
  run: (world, input) => runRestart(world, input),
};

async function runRestart(world: ContainerWorld, input: CommandInput): Promise<CommandResult> {
  const ctx = await openContainers(world);
  const options = stopOptionsFrom(input, world.signal);
  return forEachName(input.args, async (name) => {
    const view = await resolveView(ctx, name, world);
    await withPrefix(`Cannot restart container ${name}`, () => restartContainer(ctx, view, options));
    await announceChange(world, ctx, view.record.id, { kind: 'started' });
  });
}
