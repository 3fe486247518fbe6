import { parseVolumeFilters, wantsAll } from '../../../container/volumes/filter.ts';
import { humanSize } from '../../../go/units.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { confirm } from '../../confirm.ts';
import { LABEL } from '../../flags/values.ts';
import { pruneAllVolumes } from '../../pruned.ts';

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

async function runPrune(world: World, { options }: CommandInput): Promise<CommandResult> {
  const filters = options.list('filter');
  if (options.bool('all') && filters.some((filter) => /^all=/i.test(filter))) {
    throw new HealthctlError('INVALID', 'conflicting options: cannot specify both --all and --filter all=1');
  }
  const isAll = options.bool('all') || wantsAll(filters);
  parseVolumeFilters(filters, 'prune'); // refuses wrong ones before it asks
  const which = isAll ? 'all local volumes' : 'anonymous local volumes';
  const warning = `WARNING! This will remove ${which} not used by at least one container.`;
  if (!options.bool('force') && !(await confirm(world, warning))) return {};
  const { text, reclaimed } = await pruneAllVolumes(world, { isAll, filters });
  return { stdout: `${text}Total reclaimed space: ${humanSize(reclaimed, 4)}\n` };
}
