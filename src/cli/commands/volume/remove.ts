import { removeVolume } from '../../../container/volumes/use.ts';
import { hasCode } from '../../../lib/errors.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName } from '../../each.ts';
import { VOLUME } from '../../flags/values.ts';

/** `healthctl volume rm`: Docker's. */
export const remove: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  description: 'Remove one or more volumes. You cannot remove a volume that is in use by a container.',
  options: [{ name: 'force', short: 'f', type: 'bool', help: 'Force the removal of one or more volumes' }],
  args: { min: 1 },
  complete: [VOLUME],
  run: (world, input) => runRemove(world, input),
};

/** With --force, a missing volume counts as removed. */
async function runRemove(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const ctx = await openContainers(world);
  const force = options.bool('force');
  return forEachName(
    args,
    async (name) => {
      try {
        await removeVolume(ctx, name, { signal: world.signal });
      } catch (error) {
        if (!force || !hasCode(error, 'NOT_FOUND')) throw error;
      }
    },
    { atOnce: 1 },
  );
}
