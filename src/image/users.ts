import type { ContainerRecord } from '../containerd/containers.ts';

/** Docker's id of the image that a container was created from; undefined if the container's record does not tell. */
export type ImageIdOf = (container: ContainerRecord) => string | undefined;

/**
 * Whether a container was created from this image. The name in its record is proof only if there is no id: the name may
 * have moved to another image since.
 */
export function isCreatedFrom(
  container: ContainerRecord,
  image: { readonly id: string; readonly names: ReadonlySet<string> },
  imageIdOf: ImageIdOf,
): boolean {
  const id = imageIdOf(container);
  return id === undefined ? image.names.has(container.image) : id === image.id;
}
