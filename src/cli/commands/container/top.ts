import { resolveView } from '../../../container/resolve.ts';
import { topContainer } from '../../../container/top.ts';
import { printableLine } from '../../../lib/printable.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { UP } from '../../flags/values.ts';
import { alignColumns } from '../../format/columns.ts';

/** docker/cli, container/top.go. */
const MIN_WIDTH = 20;

/** `healthctl top`: Docker's. */
export const top: Command = {
  usage: 'CONTAINER [ps OPTIONS]',
  options: [],
  args: { min: 1 },
  complete: [UP],
  optionsEndAtArgument: true,
  run: async (world, { args: [nameOrId = '', ...psOptions] }) => {
    const ctx = await openContainers(world);
    const view = await resolveView(ctx, nameOrId, world);
    const { titles, rows } = await topContainer(ctx, view, { psOptions, signal: world.signal });
    // A process chooses its name and arguments.
    const lines = [titles, ...rows].map((cells) => `${cells.map(printableLine).join('\t')}\n`);
    return { stdout: alignColumns(lines.join(''), MIN_WIDTH) };
  },
};
