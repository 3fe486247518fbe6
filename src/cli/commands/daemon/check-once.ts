import { checkOnce } from '../../../daemon/timers/check-once.ts';
import { timersOf } from '../../../daemon/timers/scheduling.ts';
import { hasCode, messageOf } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { CONTAINER } from '../../flags/values.ts';
import { programOf } from '../../program.ts';

/** `healthctl daemon check-once`: the command of a systemd timer. */
export const checkOnceCommand: Command = {
  usage: '[OPTIONS] CONTAINER',
  description: 'Make one check of a container when it is due. Timers of systemd call it.',
  options: [
    {
      name: 'phase',
      type: 'string',
      help: "Which timer calls: 'starting' or 'regular'",
      default: 'regular',
      check: (text) => (text === 'starting' || text === 'regular' ? undefined : 'must be one of "starting", "regular"'),
      complete: { words: ['starting', 'regular'] },
    },
    { name: 'not-before', type: 'int', value: 'ms', help: 'Wall time before which no check is made' },
  ],
  args: { min: 1, max: 1 },
  complete: [CONTAINER],
  run: (world, input) => runCheck(world, input),
};

async function runCheck(world: World, { options, args }: CommandInput): Promise<CommandResult> {
  const { log, signal } = world;
  const [id = ''] = args;
  try {
    const ctx = await openContainers(world);
    await checkOnce({
      ...{ ctx, id, signal },
      timers: timersOf(ctx, programOf(world)),
      adopt: world.settings.monitor.adopt,
      phase: options.string('phase') === 'starting' ? 'starting' : 'regular',
      notBeforeMs: options.int('not-before') ?? 0,
    });
  } catch (error) {
    // It has no memory, so it would repeat the message at each check while containerd is away.
    if (!hasCode(error, 'UNAVAILABLE', 'ABORTED')) throw error;
    log.debug(messageOf(error));
  }
  return {};
}
