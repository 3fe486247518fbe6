import type { Command, CommandResult } from '../../command.ts';
import type { ContainerWorld } from '../../context.ts';
import { RUNNING } from '../../flags/values.ts';
import { checkByHand, recordedCheck } from '../../monitor/check.ts';

/** `healthctl container healthcheck`, as nerdctl's: exit 0 whenever the check could be run, whatever it found. */
export const healthcheck: Command = {
  usage: 'CONTAINER',
  options: [],
  args: { min: 1, max: 1 },
  complete: [RUNNING],
  run: (world, { args: [name = ''] }) => runOnce(world, name),
};

async function runOnce(world: ContainerWorld, name: string): Promise<CommandResult> {
  await recordedCheck(name, () => checkByHand(world, name));
  return {};
}
