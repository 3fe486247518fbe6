import type { ContainerContext } from '../../../container/context.ts';
import { removeContainer } from '../../../container/remove.ts';
import { resolveView } from '../../../container/resolve.ts';
import { REQUESTS } from '../../../daemon/api/requests.ts';
import { hasCode } from '../../../lib/errors.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName } from '../../each.ts';
import { CONTAINER, STOPPED } from '../../flags/values.ts';
import { announceChange } from '../../monitor/announce-change.ts';
import { openMonitor } from '../../monitor/open.ts';

/** `healthctl rm`: Docker's. */
export const remove: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: [
    { name: 'force', short: 'f', type: 'bool', help: 'Force the removal of a running container (uses SIGKILL)' },
    { name: 'volumes', short: 'v', type: 'bool', help: 'Remove anonymous volumes associated with the container' },
  ],
  args: { min: 1 },
  complete: (given) => [given.has('force') ? CONTAINER : STOPPED],
  run: (world, input) => runRemove(world, input),
};

async function runRemove(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const monitor = openMonitor(world);
  let ctx: ContainerContext | undefined;
  const force = options.bool('force');
  const volumes = options.bool('volumes');
  const result = await forEachName(args, async (name) => {
    const request = REQUESTS.remove(world.settings.namespace, name, { force, volumes });
    if (await monitor.ask(request, world.signal)) return;
    ctx ??= await openContainers(world);
    const view = await resolveView(ctx, name, world);
    await removeContainer(ctx, view, { force, volumes, abort: world.signal });
    await announceChange(world, ctx, view.record.id, { kind: 'removed' });
  });
  // With --force, a missing container is reported, but is no failure (docker/cli, container/rm.go).
  const isExcused = force && (result.errors ?? []).every((error) => hasCode(error, 'NOT_FOUND'));
  return isExcused ? { ...result, exitCode: 0 } : result;
}
