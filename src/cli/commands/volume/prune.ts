import { parseVolumeFilters, wantsAll } from '../../../container/volumes/filter.ts';
import { pruneVolumes } from '../../../container/volumes/use.ts';
import { humanSize } from '../../../go/units.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { confirm } from '../../confirm.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { LABEL } from '../../flags/values.ts';

/** `healthctl volume prune`: Docker's. */
export const prune: Command = {
  usage: '[OPTIONS]',
  options: [
    { name: 'all', short: 'a', type: 'bool', help: 'Remove all unused volumes, not just anonymous ones' },
    {
      name: 'filter',
      type: 'list',
      value: 'filter',
      help: 'Provide filter values (e.g. "label=<label>")',
      check: (text) => (text.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
      complete: { after: { 'label=': LABEL, 'label!=': LABEL, 'all=': { words: ['1'] } } },
    },
    { name: 'force', short: 'f', type: 'bool', help: 'Do not prompt for confirmation' },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => runPrune(world, input),
};

type PruneWorld = ContainerWorld & Pick<World, 'streams'>;

async function runPrune(world: PruneWorld, { options }: CommandInput): Promise<CommandResult> {
  const filters = options.list('filter');
  if (options.bool('all') && filters.some((filter) => /^all=/i.test(filter))) {
    throw new HealthctlError('INVALID', 'conflicting options: cannot specify both --all and --filter all=1');
  }
  const isAll = options.bool('all') || wantsAll(filters);
  const matches = parseVolumeFilters(filters, 'prune');
  const which = isAll ? 'all local volumes' : 'anonymous local volumes';
  const warning = `WARNING! This will remove ${which} not used by at least one container.`;
  if (!options.bool('force') && !(await confirm(world, warning))) return {};
  const { deleted, reclaimed } = await pruneVolumes(await openContainers(world), {
    isAll,
    isWanted: (volume) => matches({ volume, users: [] }),
    signal: world.signal,
  });
  const names = deleted.length === 0 ? '' : `Deleted Volumes:\n${deleted.join('\n')}\n\n`;
  return { stdout: `${names}Total reclaimed space: ${humanSize(reclaimed, 4)}\n` };
}
