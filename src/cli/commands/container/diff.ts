import { containerChanges } from '../../../container/copy/changes.ts';
import { resolveView } from '../../../container/resolve.ts';
import { printableLine } from '../../../lib/printable.ts';
import type { TreeChange } from '../../../system/tree-changes.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { CONTAINER } from '../../flags/values.ts';

const LETTERS: Readonly<Record<TreeChange['kind'], string>> = { modified: 'C', added: 'A', deleted: 'D' };

/** `healthctl diff`: Docker's. */
export const diff: Command = {
  usage: 'CONTAINER',
  description: `Show what a container has changed in its file system: A added, C changed, D deleted.`,
  options: [],
  args: { min: 1, max: 1 },
  complete: [CONTAINER],
  run: async (world, { args: [name = ''] }) => {
    const ctx = await openContainers(world);
    const changes = await containerChanges(ctx, await resolveView(ctx, name, world), world.signal);
    // A container chooses the names of its files.
    return { stdout: changes.map(({ kind, path }) => `${LETTERS[kind]} ${printableLine(path)}\n`).join('') };
  },
};
