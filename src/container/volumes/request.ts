import { closeSync, mkdirSync } from 'node:fs';
import { counted } from '../../lib/counted.ts';
import { namespaceRunDir, volumesDirOf } from '../../lib/dirs.ts';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { randomHex } from '../../lib/random.ts';
import { checkDestination } from '../../oci/mount-flags.ts';
import type { Bind, Tmpfs, VolumeRequest } from '../../oci/mounts.ts';
import { cleanPath } from '../../oci/paths.ts';
import { openDirectoryInRoot, type SnapshotMount } from '../../system/rootfs.ts';
import { ANONYMOUS_LABEL, type Volume } from '../../volume/volume.ts';
import { checkVolumeOptions, contentOf } from '../../volume/volume-options.ts';
import type { HeldVolume, VolumeContext } from '../../volume/volume-store.ts';
import type { ContainerContext } from '../context.ts';
import { mountMemory } from './ready.ts';

/** A volume of a new container. */
export interface UsedVolume {
  readonly request: VolumeRequest;
  readonly volume: Volume;
  readonly isAnonymous: boolean;
}

/** Its form for the runtime. */
export function bindOfVolume({ request, volume }: UsedVolume, partPathAt: (destination: string) => string): Bind {
  const { destination, readOnly } = request;
  const common = { destination, propagation: 'rprivate' } as const;
  if (request.part !== undefined) return { ...common, source: partPathAt(destination), readOnly };
  const content = contentOf(volume.options);
  switch (content.kind) {
    case 'own':
      return { ...common, source: volume.mountpoint, readOnly };
    case 'host': {
      const mount = { recursive: content.isRecursive ? 'enabled' : 'disabled' } as const;
      return { ...common, source: content.path, readOnly: readOnly || content.readOnly, mount };
    }
    case 'file-system': {
      const { type, device, options } = content;
      return { ...common, source: device, readOnly, fileSystem: { type, options } };
    }
  }
}

/** The directory of volumes of the context's namespace, with what opening it needs. */
export function volumeContextOf(ctx: ContainerContext, signal?: AbortSignal): VolumeContext {
  const { namespace, address } = ctx.containerd;
  return { root: volumesDirOf(ctx.dirs, namespace), clock: ctx.clock, address, signal };
}

/**
 * The volumes of a container: the requested ones, and one for each VOLUME of the image without another mount at its
 * path. Throws INVALID for a path of the image at which nothing can be mounted.
 */
export function volumeRequestsOf(
  asked: {
    readonly volumes: readonly VolumeRequest[];
    readonly binds: readonly Bind[];
    readonly tmpfs: readonly Tmpfs[];
  },
  imageVolumes: readonly string[],
): readonly VolumeRequest[] {
  const taken = new Set([...asked.volumes, ...asked.binds, ...asked.tmpfs].map(({ destination }) => destination));
  const ofImage = new Set(imageVolumes.map(destinationOfImage));
  const anonymous = [...ofImage].filter((destination) => !taken.has(destination));
  return [
    ...asked.volumes,
    ...anonymous.map((destination) => ({ destination, readOnly: false, noCopy: false, labels: {} })),
  ];
}

function destinationOfImage(path: string): string {
  try {
    checkDestination(path, (reason) => reason);
  } catch (cause) {
    throw new HealthctlError('INVALID', `the image has a volume at ${JSON.stringify(path)}: ${messageOf(cause)}`, {
      cause,
    });
  }
  return cleanPath(path);
}

export interface VolumeWork {
  readonly requests: readonly VolumeRequest[];
  /** The root file system of the new container, whose files are copied into empty volumes. */
  readonly rootfs: readonly SnapshotMount[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates or finds the volumes of a new container, and fills the empty ones. They are locked until `work`, which
 * creates the container, has ended: until then they cannot be removed. If the work fails, newly created ones are
 * removed.
 *
 * @throws INVALID if the image has a file at a volume's path; EXHAUSTED, ABORTED, CORRUPT
 */
export async function withVolumes<T>(
  ctx: ContainerContext,
  { requests, rootfs, signal }: VolumeWork,
  work: (volumes: readonly UsedVolume[]) => Promise<T>,
): Promise<T> {
  if (requests.length === 0) return work([]);
  const { openVolume } = await import('../../volume/volume-store.ts');
  const { recoverVolume } = await import('../../volume/fill.ts');
  const volumes = volumeContextOf(ctx, signal);
  const held = new Map<string, HeldVolume>();
  const named = requests.map((request) => ({ request, name: request.name ?? randomHex(32) }));
  try {
    // In a fixed order, so that two creates never wait for each other.
    for (const { request, name } of named.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const labels = request.name === undefined ? { ...request.labels, [ANONYMOUS_LABEL]: '' } : request.labels;
      const { options = {} } = request;
      checkVolumeOptions(options);
      const one = held.get(name) ?? (await openVolume(volumes, name, { labels, options }));
      held.set(name, one);
      mountMemory(one.volume, ctx.containerd.address);
      if (request.part !== undefined && contentOf(one.volume.options).kind === 'file-system')
        throw new HealthctlError('INVALID', `volume ${name}: healthctl mounts only all of it, because of its options`);
      const isEmpty = await recoverVolume(one);
      const isToFill = (isEmpty || request.part !== undefined) && !request.noCopy;
      if (isToFill) await fillFromImage(ctx, one, { request, rootfs, signal });
    }
    const used = named.flatMap(({ request, name }): readonly UsedVolume[] => {
      const volume = held.get(name)?.volume;
      return volume ? [{ request, volume, isAnonymous: request.name === undefined }] : [];
    });
    return await work(used);
  } catch (error) {
    for (const one of held.values()) if (one.isNew) await eraseOrWarn(ctx, one);
    throw error;
  } finally {
    for (const { release } of held.values()) release();
  }
}

async function fillFromImage(
  ctx: ContainerContext,
  held: HeldVolume,
  { request, rootfs, signal }: { readonly request: VolumeRequest } & Omit<VolumeWork, 'requests'>,
): Promise<void> {
  const parent = namespaceRunDir(ctx.dirs, ctx.containerd.namespace);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const from = openDirectoryInRoot(rootfs, request.destination, { parent });
  if (from === undefined) return;
  if (from === 'other') {
    throw new HealthctlError('INVALID', `cannot mount volume over existing file, file exists ${request.destination}`);
  }
  const { fillPart, fillVolume } = await import('../../volume/fill.ts');
  const { part } = request;
  try {
    const leftOut = await (part === undefined
      ? fillVolume(held, { from, signal })
      : fillPart(held, { part, from, signal }));
    if (leftOut > 0) {
      ctx.log.warn(
        `volume ${held.volume.name}: ${counted(leftOut, 'device or socket', 'devices or sockets')} of the image not copied`,
      );
    }
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause;
    const what = `failed to copy ${request.destination} of the image into volume ${held.volume.name}`;
    throw new HealthctlError('INVALID', `${what}: ${messageOf(cause)}`, { cause });
  } finally {
    closeSync(from);
  }
}

async function eraseOrWarn(ctx: ContainerContext, held: HeldVolume): Promise<void> {
  const { eraseVolume } = await import('../../volume/volume-store.ts');
  try {
    await eraseVolume(held);
  } catch (error) {
    ctx.log.warn(`volume ${held.volume.name} was not removed: ${messageOf(error)}`);
  }
}
