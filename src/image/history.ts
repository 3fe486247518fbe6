import type { Containerd } from '../containerd/client.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { chainIdsOf } from './chain-id.ts';
import { resolveImage } from './find.ts';
import { recordsOfImage, repoTags } from './names.ts';
import { imagePlatform, type Platform, refuseOtherPlatform } from './platform.ts';

/** A step of an image's history, as Docker shows it. */
export interface HistoryRow {
  /** The image's id for the newest step; Docker's `<missing>` for those before it. */
  readonly id: string;
  /** Milliseconds since the epoch; 0 if unknown. */
  readonly createdMs: number;
  readonly createdBy: string;
  readonly comment: string;
  /** Bytes of the layer that the step made: unpacked, or stored if it is not unpacked. */
  readonly size: number;
  /** The image's names, of the newest step. */
  readonly tags: readonly string[];
}

const MISSING = '<missing>';

/**
 * How an image was made, the newest step first (moby, daemon/images/image_history.go).
 *
 * @throws like resolveImage; NOT_FOUND for a platform that the image is not for
 */
export async function imageHistory(
  { containerd }: { readonly containerd: Containerd },
  request: {
    readonly nameOrId: string;
    readonly snapshotter: string;
    readonly platform?: Platform;
    readonly signal?: AbortSignal;
  },
): Promise<readonly HistoryRow[]> {
  const { nameOrId, snapshotter, platform, signal } = request;
  const options = { ...(signal ? { signal } : {}), ...(platform ? { platform } : {}) };
  const image = await resolveImage({ containerd }, nameOrId, options);
  const { config, manifest, configDigest, familiarName } = image;
  if (platform) refuseOtherPlatform(familiarName, imagePlatform(config), platform);
  const chain = chainIdsOf(config.diffIds);
  const tags = repoTags(await recordsOfImage(containerd, configDigest, signal));
  const rows: HistoryRow[] = [];
  let layer = 0;
  for (const { created, createdBy, comment, isEmpty } of config.history) {
    const createdMs = Date.parse(created ?? '') || 0;
    const row = { id: MISSING, createdMs, createdBy, comment, size: 0, tags: [] };
    if (isEmpty) {
      rows.push(row);
      continue;
    }
    const key = chain[layer];
    if (key === undefined) {
      throw new HealthctlError('CORRUPT', `image ${familiarName} has more steps with a layer than layers`);
    }
    const stored = manifest.layers[layer]?.size ?? 0;
    rows.push({ ...row, size: await layerSize(containerd, { snapshotter, key, stored }, options) });
    layer += 1;
  }
  const newest = rows.pop();
  return newest ? [{ ...newest, id: configDigest, tags }, ...rows.reverse()] : [];
}

async function layerSize(
  containerd: Containerd,
  { snapshotter, key, stored }: { readonly snapshotter: string; readonly key: string; readonly stored: number },
  options: { readonly signal?: AbortSignal },
): Promise<number> {
  try {
    return await containerd.snapshots.usage({ snapshotter, key }, options);
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    return stored;
  }
}
