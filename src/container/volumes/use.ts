import { readdirSync } from 'node:fs';
import type { ContainerRecord } from '../../containerd/containers.ts';
import { containersDirOf } from '../../lib/dirs.ts';
import { errnoOf, HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import { specOf } from '../../record/details.ts';
import { mountPointsOf, storedConfigOf } from '../../record/stored-config.ts';
import { measureTree } from '../../volume/tree-size.ts';
import { ANONYMOUS_LABEL, noSuchVolume, type Volume } from '../../volume/volume.ts';
import { clearRemains, eraseVolume, holdVolume, listVolumes } from '../../volume/volume-store.ts';
import type { ContainerContext } from '../context.ts';
import { publishVolume } from './create.ts';
import { volumeContextOf } from './request.ts';

/** The containers that use each volume: names to ids. */
type VolumeUsers = ReadonlyMap<string, readonly string[]>;

/** A volume with its users. */
export interface ListedVolume {
  readonly volume: Volume;
  readonly users: readonly string[];
  /** Size of its content in bytes; absent if not requested. */
  readonly size?: number;
}

/** All volumes of the namespace, by name. Unreadable ones give a warning. */
function listAllVolumes(ctx: ContainerContext): readonly Volume[] {
  return listVolumes(volumeContextOf(ctx).root, (error) => ctx.log.warn(messageOf(error)));
}

/** Volumes with the requested facts. Throws UNAVAILABLE like volumeUsers, ABORTED. */
export async function listVolumesWith(
  ctx: ContainerContext,
  wanted: { readonly users: boolean; readonly size: boolean; readonly signal?: AbortSignal },
): Promise<readonly ListedVolume[]> {
  const listed = wanted.users
    ? await listUsedVolumes(ctx, wanted.signal)
    : listAllVolumes(ctx).map((volume) => ({ volume, users: [] }));
  if (!wanted.size) return listed;
  const sized: ListedVolume[] = [];
  for (const one of listed) sized.push({ ...one, size: await measureTree(one.volume.mountpoint, wanted.signal) });
  return sized;
}

async function listUsedVolumes(ctx: ContainerContext, signal?: AbortSignal): Promise<readonly ListedVolume[]> {
  const volumes = listAllVolumes(ctx);
  const users = volumes.length === 0 ? new Map() : await volumeUsers(ctx, signal);
  return volumes.map((volume) => ({ volume, users: users.get(volume.name) ?? [] }));
}

/** Throws UNAVAILABLE if containerd is away and a container may use a volume. */
async function volumeUsers(ctx: ContainerContext, signal?: AbortSignal): Promise<VolumeUsers> {
  const { root } = volumeContextOf(ctx);
  const users = new Map<string, string[]>();
  for (const record of await listRecords(ctx, signal)) {
    for (const name of volumeNamesOf(record, root)) users.set(name, [...(users.get(name) ?? []), record.id]);
  }
  return users;
}

/** Contexts in which the warning that containerd is away was shown. */
const warned = new WeakSet<ContainerContext>();

/**
 * All containers. While containerd is away there are none, if none of ours is on disk: each has a directory there from
 * its creation to its removal. A container of another tool that mounts a volume of ours by path is then not seen.
 */
async function listRecords(ctx: ContainerContext, signal?: AbortSignal): Promise<readonly ContainerRecord[]> {
  try {
    return await ctx.containerd.containers.list([], signal ? { signal } : {});
  } catch (error) {
    if (!hasCode(error, 'UNAVAILABLE')) throw error;
    const { namespace } = ctx.containerd;
    const kept = countKept(ctx);
    if (kept > 0) {
      const containers = kept === 1 ? '1 container of namespace NS' : `${kept} containers of namespace NS`;
      const what = 'it is not known which containers use which volumes';
      throw new HealthctlError('UNAVAILABLE', `${what}: ${messageOf(error)}`, {
        cause: error,
        hint: `start containerd: ${containers.replace('NS', namespace)} may use a volume`,
      });
    }
    if (!warned.has(ctx))
      ctx.log.warn(
        `containerd does not answer: there is no container of namespace ${namespace} here, so no volume is in use`,
      );
    warned.add(ctx);
    return [];
  }
}

function countKept({ dirs, containerd }: ContainerContext): number {
  try {
    return readdirSync(containersDirOf(dirs, containerd.namespace)).length;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** For a container of another tool or version, the runtime spec is used: its mounts must not count as unused. */
function volumeNamesOf(record: ContainerRecord, root: string): ReadonlySet<string> {
  const stored = storedConfigOf(record);
  if (stored) {
    return new Set(mountPointsOf(stored).flatMap(({ Type, Name }) => (Type === 'volume' && Name ? Name : [])));
  }
  const sources = (specOf(record)?.mounts ?? []).flatMap(({ source }) => source ?? []);
  const below = sources.filter((source) => source.startsWith(`${root}/`));
  return new Set(below.flatMap((source) => source.slice(root.length + 1).split('/')[0] ?? []));
}

export interface RemoveVolumeOptions {
  /** A container that is itself being removed, and does not count. */
  readonly except?: string;
  /** Whether it should still be removed; called once no other process can change it. */
  readonly isWanted?: (volume: Volume) => boolean;
  /** Called with its size, in bytes, before the removal. */
  readonly onSize?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Removes a volume with its content.
 *
 * @returns whether it was still wanted, and so removed
 * @throws NOT_FOUND, and CONFLICT if a container uses it, with Docker's texts
 */
export async function removeVolume(
  ctx: ContainerContext,
  name: string,
  options: RemoveVolumeOptions = {},
): Promise<boolean> {
  const held = await holdVolume(volumeContextOf(ctx, options.signal), name);
  if (!held) throw noSuchVolume(name);
  try {
    if (options.isWanted?.(held.volume) === false) return false;
    const users = ((await volumeUsers(ctx, options.signal)).get(name) ?? []).filter((id) => id !== options.except);
    if (users.length > 0) {
      throw new HealthctlError('CONFLICT', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    }
    options.onSize?.(await measureTree(held.volume.mountpoint, options.signal));
    await eraseVolume(held);
    await publishVolume(ctx, 'destroy', name);
    return true;
  } finally {
    held.release();
  }
}

/** Removes the anonymous volumes created for a container. One that another container now uses stays. */
export async function removeAnonymousVolumes(ctx: ContainerContext, record: ContainerRecord): Promise<void> {
  const names = storedConfigOf(record)?.AnonymousVolumes ?? [];
  for (const name of names) {
    try {
      await removeVolume(ctx, name, { except: record.id });
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND', 'CONFLICT')) ctx.log.warn(`volume ${name} was not removed: ${messageOf(error)}`);
    }
  }
}

export interface Pruned {
  /** Names. */
  readonly deleted: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}

/**
 * Removes volumes that no container uses, and left-overs of processes that died.
 *
 * @param options.isAll also named ones; Docker's default is anonymous ones only
 * @param options.isWanted further conditions
 */
export async function pruneVolumes(
  ctx: ContainerContext,
  options: {
    readonly isAll: boolean;
    readonly isWanted: (volume: Volume) => boolean;
    readonly signal?: AbortSignal;
  },
): Promise<Pruned> {
  const { isAll, signal } = options;
  const isWanted = (volume: Volume) =>
    (isAll || Object.hasOwn(volume.labels, ANONYMOUS_LABEL)) && options.isWanted(volume);
  const deleted: string[] = [];
  let reclaimed = 0;
  const onSize = (bytes: number): void => {
    reclaimed += bytes;
  };
  for (const { volume, users } of await listUsedVolumes(ctx, signal)) {
    if (users.length > 0 || !isWanted(volume)) continue;
    try {
      const isGone = await removeVolume(ctx, volume.name, { isWanted, onSize, ...(signal ? { signal } : {}) });
      if (isGone) deleted.push(volume.name);
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND', 'CONFLICT')) throw error; // another process was faster
    }
  }
  await clearRemains(volumeContextOf(ctx, signal));
  return { deleted, reclaimed };
}
