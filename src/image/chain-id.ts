import { sha256Hex } from '../lib/sha256.ts';

/**
 * The name of the snapshot of the topmost of these layers (OCI image spec, "Layer ChainID"). Empty for no layers.
 *
 * @param diffIds digests of the uncompressed layers, the lowest first
 */
export function chainIdOf(diffIds: readonly string[]): string {
  return chainIdsOf(diffIds).at(-1) ?? '';
}

/** The chain id of each layer, the lowest first. */
export function chainIdsOf(diffIds: readonly string[]): readonly string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const parent = chain.at(-1);
    chain.push(parent === undefined ? diffId : `sha256:${sha256Hex(`${parent} ${diffId}`)}`);
  }
  return chain;
}
