import { humanSize } from '../../../go/units.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult, ParsedOptions } from '../../command.ts';
import { isPruneWanted, pruneFilterFrom, pruneOptionSpecs } from '../../flags/prune.ts';
import { pruneAllContainers, pruneAllImages, pruneAllNetworks, pruneAllVolumes, type Removed } from '../../pruned.ts';

/** `healthctl system prune`: Docker's. */
export const prune: Command = {
  usage: '[OPTIONS]',
  description: 'Remove stopped containers, networks without containers, and dangling images.',
  options: [
    { name: 'all', short: 'a', type: 'bool', help: 'Remove all unused images not just dangling ones' },
    ...pruneOptionSpecs,
    { name: 'volumes', type: 'bool', help: 'Prune anonymous volumes' },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => runPrune(world, input),
};

async function runPrune(world: World, { options }: CommandInput): Promise<CommandResult> {
  const texts = options.list('filter');
  const [hasVolumes, all] = [options.bool('volumes'), options.bool('all')];
  if (hasVolumes && texts.some((text) => /^until=/i.test(text)))
    throw new HealthctlError('INVALID', 'ERROR: The "until" filter is not supported with "--volumes"');
  const filter = pruneFilterFrom(options, world);
  if (!(await isPruneWanted(world, options, warningOf(options)))) return {};
  const removed: readonly Removed[] = [
    await pruneAllContainers(world, filter),
    await pruneAllNetworks(world, filter),
    ...(hasVolumes ? [await pruneAllVolumes(world, { isAll: false, filters: texts })] : []),
    await pruneAllImages(world, { all, filter }),
  ];
  const reclaimed = removed.reduce((sum, one) => sum + one.reclaimed, 0);
  const lists = removed.map(({ text }) => text).join('');
  return { stdout: `${lists}Total reclaimed space: ${humanSize(reclaimed)}\n` };
}

/** docker/cli: cli/command/system/prune.go. */
function warningOf(options: ParsedOptions): string {
  const lines = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(options.bool('volumes') ? ['all anonymous volumes not used by at least one container'] : []),
    options.bool('all') ? 'all images without at least one container associated to them' : 'all dangling images',
  ];
  const filters = [...options.list('filter')].sort();
  const shown =
    filters.length === 0
      ? ''
      : `\n  Items to be pruned will be filtered with:\n${filters.map((text) => `  - ${text}\n`).join('')}`;
  return `WARNING! This will remove:\n${lines.map((line) => `  - ${line}\n`).join('')}${shown}`;
}
