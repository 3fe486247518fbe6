import type { KnownNetwork } from '../network/known-networks.ts';
import { type Publisher, publishObject } from './own-events.ts';

/** Publishes Docker's event of a network. Never fails. @param container the id of the one that it is about, if any */
export function publishNetwork(
  publisher: Publisher,
  action: 'create' | 'destroy' | 'connect' | 'disconnect',
  { network, container }: { readonly network: EventNetwork; readonly container?: string },
): Promise<void> {
  const { id, name, driver } = network;
  const attributes = { ...(container === undefined ? {} : { container }), name, type: driver };
  return publishObject(publisher, { type: 'network', action, id, attributes });
}

export type EventNetwork = Pick<KnownNetwork, 'id' | 'name' | 'driver'>;
