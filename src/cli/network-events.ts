import { type EventNetwork, publishNetwork } from '../events/network-event.ts';
import { messageOf } from '../lib/errors.ts';
import type { World } from '../world.ts';

/** Publishes an event for each network, if containerd runs: commands about networks work without it. */
export async function publishNetworks(
  { containerd, log }: Pick<World, 'containerd' | 'log'>,
  action: 'create' | 'destroy',
  networks: readonly EventNetwork[],
): Promise<void> {
  if (networks.length === 0) return;
  try {
    const { events } = await containerd();
    for (const network of networks) await publishNetwork({ events, log }, action, { network });
  } catch (error) {
    log.debug(`the event ${action} of networks was not published: ${messageOf(error)}`);
  }
}
