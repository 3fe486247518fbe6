import { runHealthcheck } from '../../../container/healthcheck.ts';
import type { Command, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { recordedCheck } from '../../manual-check.ts';

/** `healthctl container healthcheck`, as nerdctl's: exit 0 whenever the check could be run, whatever it found. */
export const healthcheck: Command = {
  usage: 'CONTAINER',
  options: [],
  args: { min: 1, max: 1 },
  run: (world, { args: [name = ''] }) => runOnce(world, name),
};

async function runOnce(world: ContainerWorld, name: string): Promise<CommandResult> {
  const ctx = await openContainers(world);
  await recordedCheck(name, () => runHealthcheck(ctx, name, world.signal));
  return {};
}
