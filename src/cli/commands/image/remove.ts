import { removeImage } from '../../../image/remove.ts';
import { hasCode } from '../../../lib/errors.ts';
import { imageIdOf } from '../../../record/details.ts';
import type { World } from '../../../world.ts';
import { announceRemoved } from '../../announce-image.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { IMAGE } from '../../flags/values.ts';

/** `healthctl rmi`, as Docker's. */
export const remove: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  options: [
    { name: 'force', short: 'f', type: 'bool', help: 'Force removal of the image' },
    { name: 'no-prune', type: 'bool', help: 'Do not delete untagged parents; there are none', hidden: true },
  ],
  args: { min: 1 },
  complete: [IMAGE],
  run: (world, input) => runRemove(world, input),
};

type RemoveWorld = Pick<World, 'containerd' | 'log' | 'settings' | 'signal'>;

async function runRemove(world: RemoveWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const containerd = await world.containerd();
  const force = options.bool('force');
  const { signal, settings } = world;
  const errors: Error[] = [];
  let stdout = '';
  for (const nameOrId of args) {
    try {
      const removed = await removeImage(
        { containerd },
        { nameOrId, force, snapshotter: settings.snapshotter, imageIdOf, signal },
      );
      await announceRemoved(world, removed);
      for (const line of removed) {
        stdout += 'untagged' in line ? `Untagged: ${line.untagged}\n` : `Deleted: ${line.deleted}\n`;
      }
    } catch (error) {
      // All are tried, but an error that would be the same for the next one is shown once.
      if (!(error instanceof Error)) throw error;
      errors.push(error);
      if (hasCode(error, 'ABORTED', 'UNAVAILABLE', 'DENIED')) break;
    }
  }
  // With --force, a missing image counts as removed (docker/cli, image/remove.go).
  const excused = force && errors.every((error) => hasCode(error, 'NOT_FOUND'));
  return { stdout, errors, ...(excused ? { exitCode: 0 } : {}) };
}
