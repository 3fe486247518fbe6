/** The meaning of `--network`, and of `NetworkMode` in Docker's documents. */
export type NetworkMode =
  | { readonly kind: 'none' }
  | { readonly kind: 'host' }
  /** A name or an id. */
  | { readonly kind: 'container'; readonly container: string }
  | { readonly kind: 'network'; readonly name: string };

const CONTAINER = 'container:';

/** `default` is Docker's word for the network of containers without `--network`. */
export function networkModeOf(text: string): NetworkMode {
  if (text === 'none' || text === 'host') return { kind: text };
  if (text.startsWith(CONTAINER)) return { kind: 'container', container: text.slice(CONTAINER.length) };
  return { kind: 'network', name: text };
}

export const joinText = (container: string): string => `${CONTAINER}${container}`;
