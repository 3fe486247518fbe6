import { viewRecord } from '../../container/resolve.ts';
import { tellingLine } from '../../health/result.ts';
import type { ContainerWorld } from '../context.ts';
import { openContainers, worldIn } from '../context.ts';
import type { TopRow } from './model.ts';
import type { Action } from './state.ts';
import { tookText } from './texts.ts';

/**
 * Does what the user has confirmed, and says what came out. The container is named by its id: another one may have its
 * name by now.
 */
export async function act(world: ContainerWorld, action: Action, { namespace, id, name }: TopRow): Promise<string> {
  const own = namespace === world.settings.namespace ? world : worldIn(world, namespace);
  switch (action) {
    case 'check':
      return checkNow(own, id, name);
    case 'restart':
      return restart(own, id, name);
  }
}

async function checkNow(world: ContainerWorld, id: string, name: string): Promise<string> {
  const { checkByHand, recordedCheck } = await import('../monitor/check.ts');
  const { result, state } = await recordedCheck(name, () => checkByHand(world, id));
  const took = tookText(Date.parse(result.end) - Date.parse(result.start));
  const outcome = result.exitCode === 0 ? 'passed' : `failed (${result.exitCode})`;
  const line = result.exitCode === 0 ? '' : tellingLine(result);
  return `${name}: the check ${outcome} in ${took}, ${state.status}${line === '' ? '' : `: ${line}`}`;
}

async function restart(world: ContainerWorld, id: string, name: string): Promise<string> {
  const [{ restartContainer }, { announceChange }, ctx] = await Promise.all([
    import('../../container/restart.ts'),
    import('../monitor/announce-change.ts'),
    openContainers(world),
  ]);
  await restartContainer(ctx, await viewRecord(ctx, await ctx.containerd.containers.get(id)), { abort: world.signal });
  await announceChange(world, ctx, id, { kind: 'started' });
  return `${name} was restarted`;
}
