import { readHealth } from '../../container/health.ts';
import type { ListedContainer } from '../../container/list.ts';
import { resolveView } from '../../container/resolve.ts';
import { isStoppedByUser, restartPolicyOf } from '../../record/restart-label.ts';
import { asRestarting, type ContainerView, withNextRestart } from '../../record/view.ts';
import type { EngineDeps } from '../host.ts';
import type { Call } from '../route.ts';
import { idOfLink } from './links.ts';

/** The container that the path of a call names. Throws NOT_FOUND `No such container: x`, AMBIGUOUS. */
export async function foundView({ ctx }: Pick<EngineDeps, 'ctx'>, { part, signal }: Call): Promise<ContainerView> {
  const name = part('id');
  const id = name.includes('/') ? await idOfLink(ctx, name, signal) : undefined;
  return resolveView(ctx, id ?? name, { signal });
}

/** The same as lists and documents show it: with its health, and with a restart that is under way. */
export async function shownContainer(deps: Pick<EngineDeps, 'ctx' | 'host'>, call: Call): Promise<ListedContainer> {
  const found = await foundView(deps, call);
  // The monitor may not have heard of the end: what it is about to restart would look as if it had ended for good.
  if (found.state === 'exited' && mayRestart(found)) await deps.host.refresh(found.record.id);
  const view = asShown(deps, found);
  return { view, health: await readHealth(deps.ctx, view) };
}

const mayRestart = ({ record: { labels } }: ContainerView): boolean =>
  restartPolicyOf(labels).name !== 'no' && !isStoppedByUser(labels);

export function asShown({ host }: Pick<EngineDeps, 'host'>, view: ContainerView): ContainerView {
  const { isRestarting, nextRestartAtMs } = host.restartOf(view.record.id);
  return withNextRestart(isRestarting ? asRestarting(view) : view, nextRestartAtMs);
}
