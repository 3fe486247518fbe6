import { resolveView } from '../../../container/resolve.ts';
import { updateContainer } from '../../../container/update.ts';
import { healthConfigFromFlags } from '../../../health/flags.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName } from '../../each.ts';
import { healthFlagsFrom, healthOptionSpecs } from '../../flags/health.ts';
import { limitOptionSpecs, limitsFrom } from '../../flags/limits.ts';
import { restartOptionSpec, restartPolicyFrom } from '../../flags/restart.ts';
import { CONTAINER } from '../../flags/values.ts';
import { announceChange, warnOfReboot } from '../../monitor/announce-change.ts';

/** The others are fixed at create. */
const LIMIT_OPTIONS = limitOptionSpecs.filter(({ name }) => !name.startsWith('oom-'));

/** `healthctl update`: Docker's, with the health check that Docker cannot change. */
export const update: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  description:
    'Change the limits, the health check or the restart policy of containers, also of those that run and of those that another tool made. What is not given stays as it is.',
  options: [...healthOptionSpecs, restartOptionSpec, ...LIMIT_OPTIONS],
  args: { min: 1 },
  complete: [CONTAINER],
  run: (world, input) => runUpdate(world, input),
};

async function runUpdate(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const { health, restart, limits } = await refusedByContainer(async () => ({
    health: healthConfigFromFlags(await healthFlagsFrom(options, world.signal)),
    restart: restartPolicyFrom(options),
    limits: limitsFrom(options, { oom: false }),
  }));
  const isLimited = LIMIT_OPTIONS.some(({ name }) => options.given(name));
  if (!health && !restart && !isLimited)
    throw new HealthctlError('INVALID', 'you must provide one or more flags when using this command');
  const ctx = await openContainers(world);
  if (restart) await warnOfReboot(world, restart);
  return forEachName(args, async (name) => {
    const view = await resolveView(ctx, name, world);
    await updateContainer(ctx, view, { health, restart, limits });
    await announceChange(world, ctx, view.record.id, { kind: view.state === 'running' ? 'started' : 'changed' });
  });
}

/**
 * Valid values that are refused end `update` with 1, like everything that Docker's daemon refuses; for `run` and
 * `create` Docker's CLI refuses them.
 */
async function refusedByContainer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HealthctlError)) throw error;
    const { code, message, hint } = error;
    throw new HealthctlError(code, message, { ...(hint === undefined ? {} : { hint }), cause: error, exitCode: 1 });
  }
}
