import { resolveView } from '../../../container/resolve.ts';
import { updateContainer } from '../../../container/update.ts';
import { healthConfigFromFlags } from '../../../health/flags.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName } from '../../each.ts';
import { healthFlagsFrom, healthOptionSpecs } from '../../flags/health.ts';
import { restartOptionSpec, restartPolicyFrom } from '../../flags/restart.ts';
import { leaveToMonitor, tellMonitor, warnOfReboot } from '../../monitor.ts';

/** `healthctl update`: Docker's, with the health check that Docker cannot change. */
export const update: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  description:
    'Change the health check or the restart policy of containers, also of those that run and of those that another tool made. What is not given stays as it is.',
  options: [...healthOptionSpecs, restartOptionSpec],
  args: { min: 1 },
  run: (world, input) => runUpdate(world, input),
};

async function runUpdate(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const health = healthConfigFromFlags(await healthFlagsFrom(options, world.signal));
  const restart = restartPolicyFrom(options);
  if (!health && !restart)
    throw new HealthctlError('INVALID', 'you must provide one or more flags when using this command');
  const ctx = await openContainers(world);
  if (restart) await warnOfReboot(world, restart);
  return forEachName(args, async (name) => {
    const view = await resolveView(ctx, name, world);
    await updateContainer(ctx, view, { health, restart });
    if (view.state === 'running') await leaveToMonitor(world, ctx, view.record.id);
    else await tellMonitor(world, view.record.id);
  });
}
