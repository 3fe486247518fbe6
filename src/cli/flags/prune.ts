import { parseEventTime, timeReference } from '../../events/time.ts';
import { type PruneFilter, parsePruneFilter } from '../../lib/prune-filter.ts';
import type { World } from '../../world.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';
import { confirm } from '../confirm.ts';
import { LABEL } from './values.ts';

/** The options that all `prune` commands share, in Docker's words. */
export const pruneOptionSpecs: readonly OptionSpec[] = [
  {
    name: 'filter',
    type: 'list',
    value: 'filter',
    help: 'Provide filter values (e.g. "until=<timestamp>")',
    check: (text) => (text.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
    complete: { after: { 'until=': {}, 'label=': LABEL, 'label!=': LABEL } },
  },
  { name: 'force', short: 'f', type: 'bool', help: 'Do not prompt for confirmation' },
];

/** Throws INVALID with Docker's texts. */
export function pruneFilterFrom(options: ParsedOptions, { clock }: Pick<World, 'clock'>): PruneFilter {
  return parsePruneFilter(options.list('filter'), (text) => parseEventTime(text, timeReference(clock.now())));
}

/** Whether the user agrees: with `--force`, or when asked. */
export async function isPruneWanted(
  world: Pick<World, 'streams' | 'signal'>,
  options: ParsedOptions,
  warning: string,
): Promise<boolean> {
  return options.bool('force') || (await confirm(world, warning));
}
