import { type Publisher, publishObject } from './own-events.ts';

/** What containerd's own events do not tell apart; `tag` and `untag` follow from them. */
export type ImageAction = 'pull' | 'push' | 'load' | 'save' | 'import' | 'delete';

/**
 * Publishes an event of an image in Docker's form: its id is the name for a pull and a push, else the image's id.
 *
 * @param image.name Docker's attribute: the name as shown, or the id
 */
export function publishImageEvent(
  publisher: Publisher,
  action: ImageAction,
  { id, name = id }: { readonly id: string; readonly name?: string },
): Promise<void> {
  return publishObject(publisher, { type: 'image', action, id, attributes: { name } });
}
