import { type ImageAction, publishImageEvent } from '../events/image-events.ts';
import type { Removed } from '../image/remove.ts';
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

/** The first of what was deleted is the image; its layers follow. */
export async function announceRemoved(world: AnnounceWorld, removed: readonly Removed[]): Promise<void> {
  const image = removed.find((what) => 'deleted' in what);
  if (image) await announceImage(world, 'delete', { id: image.deleted });
}
