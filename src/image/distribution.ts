import type { Clock } from '../lib/clock.ts';
import { parseImageConfig } from './config.ts';
import { parseManifest } from './manifest.ts';
import { imagePlatform, type Platform } from './platform.ts';
import { familiarName, type Reference } from './reference.ts';
import type { Credentials } from './registry/credentials.ts';
import { openRegistry, type Registry } from './registry/registry.ts';

/** What a registry has under a name. */
export interface DistributionInfo {
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly platforms: readonly Platform[];
}

/** Asks a registry about an image without pulling it. */
export async function inspectDistribution(
  world: { readonly clock: Clock; readonly env: Readonly<Record<string, string | undefined>> },
  request: {
    readonly reference: Reference;
    readonly login?: { readonly credentials: Credentials | undefined };
    readonly signal?: AbortSignal;
  },
): Promise<DistributionInfo> {
  const { reference, signal } = request;
  const registry = await openRegistry({ ...world, ...request }, signal);
  try {
    const top = await registry.fetchManifest(reference.digest ?? reference.tag ?? 'latest', signal);
    const manifest = parseManifest(`manifest of ${familiarName(reference)}`, top.bytes, top.mediaType);
    const descriptor = { mediaType: manifest.mediaType, digest: top.digest, size: top.bytes.length };
    if (manifest.kind === 'manifest') {
      const config = parseImageConfig(familiarName(reference), await readConfig(registry, manifest.config, signal));
      return { descriptor, platforms: [imagePlatform(config)] };
    }
    return { descriptor, platforms: manifest.manifests.flatMap(({ platform }) => platform ?? []) };
  } finally {
    registry.close();
  }
}

async function readConfig(
  registry: Registry,
  descriptor: Parameters<Registry['readBlob']>[0],
  signal?: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of registry.readBlob(descriptor, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
