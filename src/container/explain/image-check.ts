import type { Containerd } from '../../containerd/client.ts';
import type { ContainerRecord } from '../../containerd/containers.ts';
import type { GivenHealthConfig } from '../../health/config.ts';
import { dockerPartOf, parseHealthConfig } from '../../health/config-json.ts';
import { type ImageConfig, parseImageConfig } from '../../image/config.ts';
import { MAX_CONFIG_BYTES } from '../../image/manifest.ts';
import { readStoredImage } from '../../image/stored.ts';
import { hasCode } from '../../lib/errors.ts';
import { storedConfigOf } from '../../record/stored-config.ts';

/**
 * The check of a container's image, with no fields if it has none. Undefined if the image is not there any more, or is
 * damaged.
 */
export async function readImageCheck(
  containerd: Containerd,
  record: ContainerRecord,
  options: { readonly signal?: AbortSignal } = {},
): Promise<GivenHealthConfig | undefined> {
  try {
    const config = await readImageConfig(containerd, record, options);
    const parsed = config && parseHealthConfig(config.healthcheck);
    if (!parsed) return undefined;
    return parsed.kind === 'config' ? dockerPartOf(parsed.config) : {};
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND', 'CORRUPT', 'INVALID')) throw error;
    return undefined;
  }
}

/** By the digest for a container of ours, because the name of its image may have been given to another one. */
async function readImageConfig(
  containerd: Containerd,
  record: ContainerRecord,
  options: { readonly signal?: AbortSignal },
): Promise<ImageConfig | undefined> {
  const stored = storedConfigOf(record);
  if (stored) {
    const bytes = await containerd.content.read({ digest: stored.ImageId, maxBytes: MAX_CONFIG_BYTES }, options);
    return parseImageConfig(stored.Config.Image, bytes);
  }
  const image = record.image === '' ? undefined : await containerd.images.find(record.image, options);
  return image && (await readStoredImage(containerd, image.name, image.target, options)).config;
}
