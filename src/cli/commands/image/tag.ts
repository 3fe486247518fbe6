import { tagImage } from '../../../image/tag.ts';
import type { Command } from '../../command.ts';
import { IMAGE } from '../../flags/values.ts';

/** `healthctl tag`: Docker's. */
export const tag: Command = {
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  options: [],
  args: { min: 2, max: 2 },
  complete: [IMAGE, IMAGE],
  run: async (world, { args: [source = '', target = ''] }) => {
    await tagImage({ containerd: await world.containerd() }, { source, target, signal: world.signal });
    return {};
  },
};
