import { createHash } from 'node:crypto';

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

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
    chain.push(parent === undefined ? diffId : digestOf(Buffer.from(`${parent} ${diffId}`)));
  }
  return chain;
}
