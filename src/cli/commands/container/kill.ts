import { signalContainer } from '../../../container/kill.ts';
import { resolveView, viewRecord } from '../../../container/resolve.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName, withPrefix } from '../../each.ts';
import { SIGNAL, UP } from '../../flags/values.ts';
import { announceChange } from '../../monitor/announce-change.ts';

/** `healthctl kill`: Docker's. */
export const kill: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: [
    {
      name: 'signal',
      short: 's',
      type: 'string',
      help: 'Signal to send to the container (KILL unless given)',
      complete: SIGNAL,
    },
  ],
  args: { min: 1 },
  complete: [UP],
  run: (world, input) => runKill(world, input),
};

async function runKill(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const ctx = await openContainers(world);
  const signal = options.string('signal');
  return forEachName(args, (name) =>
    withPrefix(`cannot kill container: ${name}`, async () => {
      const view = await resolveView(ctx, name, world);
      await signalContainer(ctx, view, { abort: world.signal, ...(signal ? { signal } : {}) });
      const isRunning = (await viewRecord(ctx, view.record)).state === 'running';
      await announceChange(world, ctx, view.record.id, { kind: isRunning ? 'changed' : 'ended' });
    }),
  );
}
