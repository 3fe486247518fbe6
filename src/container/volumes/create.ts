import { publishObject } from '../../events/own-events.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { randomHex } from '../../lib/random.ts';
import { checkVolumeName } from '../../oci/mount-flags.ts';
import { ANONYMOUS_LABEL, type Volume } from '../../volume/volume.ts';
import { checkVolumeOptions, type VolumeOptions } from '../../volume/volume-options.ts';
import { openVolume } from '../../volume/volume-store.ts';
import type { ContainerContext } from '../context.ts';
import { volumeContextOf } from './request.ts';

export interface NewVolume {
  /** Undefined: an anonymous volume. */
  readonly name: string | undefined;
  /** Empty: `local`. */
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the driver. */
  readonly options?: VolumeOptions;
  readonly signal?: AbortSignal;
}

/**
 * Creates a volume. An existing one of that name counts as created, and stays as it is.
 *
 * @throws INVALID for a name or an option that is not allowed, NOT_FOUND for another driver; like openVolume
 */
export async function createVolume(ctx: ContainerContext, given: NewVolume): Promise<Volume> {
  const { name = randomHex(32), driver, options = {}, signal } = given;
  if (driver !== 'local' && driver !== '') {
    throw new HealthctlError(
      'NOT_FOUND',
      `create ${given.name ?? ''}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
    );
  }
  checkVolumeName(name);
  try {
    checkVolumeOptions(options);
  } catch (cause) {
    throw new HealthctlError('INVALID', `create ${name}: ${messageOf(cause)}`, { cause });
  }
  const own = given.name === undefined ? { [ANONYMOUS_LABEL]: '' } : {};
  const facts = { labels: { ...given.labels, ...own }, options };
  const { volume, isNew, release } = await openVolume(volumeContextOf(ctx, signal), name, facts);
  release();
  if (isNew) await publishVolume(ctx, 'create', name);
  return volume;
}

export const publishVolume = (ctx: ContainerContext, action: 'create' | 'destroy', name: string): Promise<void> =>
  publishObject(
    { events: ctx.containerd.events, log: ctx.log },
    { type: 'volume', action, id: name, attributes: { driver: 'local' } },
  );
