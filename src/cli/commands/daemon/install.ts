import { daemonPathsOf } from '../../../daemon/daemon-paths.ts';
import { drainDaemon } from '../../../daemon/drain.ts';
import { NODE_FLAGS } from '../../../daemon/node-process.ts';
import { installUnit } from '../../../daemon/service-unit/install.ts';
import { unitTextOf } from '../../../daemon/service-unit/unit.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { programOf } from '../../program.ts';

/** `healthctl daemon install`: the monitor as a service of systemd. Resolves when it is ready. */
export const install: Command = {
  usage: '[OPTIONS]',
  description:
    'Make systemd run the monitor, now and after each boot. One that is installed already is brought up to date.',
  options: [{ name: 'print', type: 'bool', help: 'Print the unit without installing it' }],
  args: { min: 0, max: 0 },
  run: (world, input) => installDaemon(world, input),
};

async function installDaemon(
  world: Pick<World, 'settings' | 'env' | 'clock' | 'signal'>,
  { options }: CommandInput,
): Promise<CommandResult> {
  const { settings } = world;
  const request = { settings, ...programOf(world, NODE_FLAGS) };
  if (options.bool('print')) return { stdout: unitTextOf(request) };
  const makeWay = () => drainDaemon(daemonPathsOf(settings), world);
  return { stdout: `${await installUnit({ ...request, makeWay })}\n` };
}
