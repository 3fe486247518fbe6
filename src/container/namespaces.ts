import type { ContainerRecord } from '../containerd/containers.ts';
import { HealthctlError } from '../lib/errors.ts';
import { encodeJson } from '../lib/json.ts';
import { joinedContainer, joinMode, joinNamespaces, type NamespaceModes } from '../oci/namespaces.ts';
import { decodeRuntimeSpec } from '../oci/read-spec.ts';
import { DEFAULT_SHM_SIZE, withoutInherited } from '../oci/spec.ts';
import type { RuntimeSpec } from '../oci/types.ts';
import { networkModeOf } from '../record/network-mode.ts';
import type { StoredConfig } from '../record/stored-config.ts';
import type { ContainerContext } from './context.ts';
import { joinPathOf } from './network/join.ts';
import { resolveContainer } from './resolve.ts';
import { mountSharedMemory } from './shared-memory.ts';

/** Modes that name containers by id, which a rename does not change. */
export interface ResolvedModes {
  readonly modes: NamespaceModes;
  /** The container whose IPC namespace is joined. */
  readonly ipcDonor: ContainerRecord | undefined;
}

/** Finds the containers to join. Throws NOT_FOUND with Docker's text. */
export async function resolveModes({ containerd }: ContainerContext, modes: NamespaceModes): Promise<ResolvedModes> {
  const find = async (mode: string): Promise<ContainerRecord | undefined> => {
    const name = joinedContainer(mode);
    return name === undefined ? undefined : resolveContainer(containerd, name);
  };
  const [pid, ipc] = [await find(modes.pid), await find(modes.ipc)];
  return {
    modes: { ...modes, ...(pid ? { pid: joinMode(pid.id) } : {}), ...(ipc ? { ipc: joinMode(ipc.id) } : {}) },
    ipcDonor: ipc,
  };
}

/**
 * Call it before each start: it mounts the shared memory of a container that shares it, and gives the spec of one that
 * joins others the present paths of their namespaces. A path of an earlier run could belong to another process. A spec
 * by an earlier release gets the values that it left to be inherited.
 *
 * @throws CONFLICT with Docker's text if the other container does not run; NOT_FOUND if it is gone
 */
export async function prepareNamespaces(
  ctx: ContainerContext,
  record: ContainerRecord,
  { HostConfig: { NetworkMode, PidMode, IpcMode, ShmSize } }: StoredConfig,
): Promise<void> {
  if (IpcMode === 'shareable') {
    mountSharedMemory(ctx, record.id, typeof ShmSize === 'number' && ShmSize > 0 ? ShmSize : DEFAULT_SHM_SIZE);
  }
  const paths: Record<string, string> = {};
  // nerdctl's start has inserted the path of a process, which changes with the next start.
  if (networkModeOf(NetworkMode).kind === 'container')
    paths.network = joinPathOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: record.id });
  for (const [type, mode] of [
    ['pid', PidMode],
    ['ipc', IpcMode],
  ] as const) {
    const id = typeof mode === 'string' ? joinedContainer(mode) : undefined;
    if (id !== undefined) paths[type] = `/proc/${await pidOf(ctx, id, type)}/ns/${type}`;
  }
  await completeSpec(ctx, record, paths);
}

async function pidOf({ containerd }: ContainerContext, id: string, type: 'pid' | 'ipc'): Promise<number> {
  const task = await containerd.tasks.find(id);
  if (task?.status === 'running' || task?.status === 'paused') return task.pid;
  await resolveContainer(containerd, id); // a missing one gives another error
  throw new HealthctlError(
    'CONFLICT',
    `failed to join ${type.toUpperCase()} namespace: container ${id} is not running`,
  );
}

async function completeSpec(
  { containerd }: ContainerContext,
  record: ContainerRecord,
  paths: Readonly<Record<string, string>>,
): Promise<void> {
  const json = record.specJson();
  // Most specs are complete, which is visible without parsing them.
  const isComplete = Object.keys(paths).length === 0 && json?.includes('"oomScoreAdj"');
  if (json === undefined || isComplete === true) return;
  const changed = encodeJson(completedSpec(decodeRuntimeSpec(json), paths));
  if (changed !== json) await containerd.containers.setSpec(record.id, changed);
}

/** Pure: a spec with the paths of joined namespaces, by type, and with values that must not be inherited. */
export function completedSpec(spec: RuntimeSpec, paths: Readonly<Record<string, string>>): RuntimeSpec {
  const { linux, process } = spec;
  return {
    ...spec,
    ...(process ? { process: withoutInherited(process) } : {}),
    ...(linux ? { linux: { ...linux, namespaces: joinNamespaces(linux.namespaces ?? [], paths) } } : {}),
  };
}
