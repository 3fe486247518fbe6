import { type ImageAction, publishImageEvent } from '../events/image-events.ts';
import { type Removed, removedImages } from '../image/remove.ts';
import type { World } from '../world.ts';

type AnnounceWorld = Pick<World, 'containerd' | 'log'>;

/** Publishes what a command has done with an image, which containerd's own events do not tell. Never fails. */
export async function announceImage(
  world: AnnounceWorld,
  action: ImageAction,
  image: { readonly id: string; readonly name?: string },
): Promise<void> {
  const { events } = await world.containerd();
  await publishImageEvent({ events, log: world.log }, action, image);
}

export async function announceRemoved(world: AnnounceWorld, removed: readonly Removed[]): Promise<void> {
  for (const id of removedImages(removed)) await announceImage(world, 'delete', { id });
}
