import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerRecord } from '../containerd/containers.ts';
import { namespaceRunDir } from '../lib/dirs.ts';
import { HealthctlError } from '../lib/errors.ts';
import { joinedContainer } from '../oci/namespaces.ts';
import { specOf } from '../record/details.ts';
import { inHostMounts } from '../system/host-mounts.ts';
import { mount, unmountIfMounted } from '../system/mount.ts';
import type { ContainerContext } from './context.ts';

// uapi/linux/mount.h
const NOSUID_NODEV_NOEXEC = 2 | 4 | 8;
const SHM = '/dev/shm';

type MemoryContext = Pick<ContainerContext, 'dirs' | 'containerd'>;

/** Where the shared memory of a container is mounted on the host, for one that shares it: beside its health state. */
function pathOf({ dirs, containerd }: MemoryContext, id: string): string {
  return join(namespaceRunDir(dirs, containerd.namespace), `.shm-${id}`);
}

/**
 * The /dev/shm of a new container; undefined for a tmpfs of its own.
 *
 * @param donor the container whose IPC namespace it joins
 * @throws INVALID with Docker's text if that one does not share it
 */
export function sharedMemoryOf(
  ctx: MemoryContext,
  { id, ipc, donor }: { readonly id: string; readonly ipc: string; readonly donor: ContainerRecord | undefined },
): { readonly source: string } | 'none' | undefined {
  if (ipc === 'none') return 'none';
  if (ipc === 'host') return { source: SHM };
  if (ipc === 'shareable') return { source: pathOf(ctx, id) };
  if (!donor) return undefined;
  const shared = specOf(donor)?.mounts?.find(({ destination, type }) => destination === SHM && type === 'bind');
  if (shared?.source !== undefined) return { source: shared.source };
  throw new HealthctlError(
    'INVALID',
    `failed to join IPC namespace: container ${joinedContainer(ipc) ?? ''}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );
}

/**
 * Mounts the shared memory of a container that shares it, again at each start.
 * @param bytes its size. Throws system errors.
 */
export function mountSharedMemory(ctx: MemoryContext, id: string, bytes: number): void {
  const target = pathOf(ctx, id);
  releaseSharedMemory(ctx, id);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  const data = `mode=1777,size=${bytes}`;
  inHostMounts(ctx.containerd.address, () =>
    mount({ source: 'shm', target, type: 'tmpfs', flags: NOSUID_NODEV_NOEXEC, data }),
  );
}

/** Unmounts it, if it exists. Containers that use it keep it. */
export function releaseSharedMemory(ctx: MemoryContext, id: string): void {
  const target = pathOf(ctx, id);
  if (!existsSync(target)) return;
  inHostMounts(ctx.containerd.address, () => {
    while (unmountIfMounted(target)); // an interrupted start may have left another mount below
  });
  rmdirSync(target);
}
