import { renameContainer } from '../../../container/rename.ts';
import { resolveView } from '../../../container/resolve.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { ANYTHING, CONTAINER } from '../../flags/values.ts';
import { announceChange } from '../../monitor/announce-change.ts';

/** `healthctl rename`: Docker's. */
export const rename: Command = {
  usage: 'CONTAINER NEW_NAME',
  options: [],
  args: { min: 2, max: 2 },
  complete: [CONTAINER, ANYTHING],
  run: async (world, { args }) => {
    const [oldName = '', newName = ''] = args.map((arg) => arg.trim());
    if (oldName === '' || newName === '') throw new HealthctlError('INVALID', 'Neither old nor new names may be empty');
    const ctx = await openContainers(world);
    const view = await resolveView(ctx, oldName, world);
    await renameContainer(ctx, view, newName, world.signal);
    await announceChange(world, ctx, view.record.id, { kind: 'changed' });
    return {};
  },
};
