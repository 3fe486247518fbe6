import { resolveView } from '../../../container/resolve.ts';
import { stopContainer } from '../../../container/stop.ts';
import type { Command, CommandInput, CommandResult, OptionSpec } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName, withPrefix } from '../../each.ts';
import { SIGNAL, UP } from '../../flags/values.ts';
import { announceChange } from '../../monitor/announce-change.ts';

/** `stop` and `restart` share them. */
export const stopOptionSpecs: readonly OptionSpec[] = [
  { name: 'signal', short: 's', type: 'string', help: 'Signal to send to the container', complete: SIGNAL },
  {
    name: 'timeout',
    short: 't',
    aliases: ['time'],
    type: 'int',
    help: 'Seconds to wait before killing the container; -1 sets no limit',
  },
];

/** The part for stopContainer. */
export function stopOptionsFrom({ options }: Pick<CommandInput, 'options'>, abort: AbortSignal) {
  const [timeoutS, signal] = [options.int('timeout'), options.string('signal')];
  return { abort, ...(timeoutS === undefined ? {} : { timeoutS }), ...(signal ? { signal } : {}) };
}

/** `healthctl stop`: Docker's. */
export const stop: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: stopOptionSpecs,
  args: { min: 1 },
  complete: [UP],
  run: (world, input) => runStop(world, input),
};

async function runStop(world: ContainerWorld, input: CommandInput): Promise<CommandResult> {
  const ctx = await openContainers(world);
  const options = stopOptionsFrom(input, world.signal);
  return forEachName(input.args, async (name) => {
    const view = await resolveView(ctx, name, world);
    await withPrefix(`cannot stop container: ${name}`, () => stopContainer(ctx, view, options));
    await announceChange(world, ctx, view.record.id, { kind: 'ended' });
  });
}
