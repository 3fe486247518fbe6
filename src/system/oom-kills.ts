import { CGROUP_ROOT, cgroupLinesIn, containerCgroupOf } from './cgroup-file.ts';
import { readKernelFile } from './kernel-file.ts';

/** The cgroup in which a container's memory is counted. */
export interface MemoryCgroup {
  /** cgroup v1, which has a hierarchy of its own for memory. */
  readonly isV1: boolean;
  /** From the root of the hierarchy, e.g. `/default/3f4e`. */
  readonly path: string;
}

/**
 * Pure: the memory cgroup of a container, from `/proc/PID/cgroup` of one of its processes. Sub-cgroups that the
 * container made are cut off, by the id in the path. Undefined if it has no cgroup of its own, or none with the id in
 * its path.
 */
export function memoryCgroupIn(text: string, containerId: string): MemoryCgroup | undefined {
  const lines = cgroupLinesIn(text);
  const v1 = lines.find(({ controllers }) => controllers.includes('memory'));
  const found = v1 ?? lines.find(({ names }) => names === '');
  if (!found) return undefined;
  const path = containerCgroupOf(found.path, containerId);
  return path === undefined ? undefined : { isV1: v1 !== undefined, path };
}

/**
 * Pure: number of processes that the kernel has killed, from `memory.oom_control` (v1) or `memory.events` (v2);
 * undefined if it is not there.
 */
export function oomKillsIn(text: string): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
  return count === undefined ? undefined : Number(count);
}

/**
 * Number of processes of a container that the kernel has killed for lack of memory since its start; undefined if it is
 * not available: an old kernel, or the cgroup is gone. It stays with the task, even after that has ended.
 *
 * @param options.pid of the main process, while it lives
 * @param options.cgroupsPath of the runtime spec, for a process that has ended
 */
export function oomKillsOf(options: {
  readonly containerId: string;
  readonly pid: number | undefined;
  readonly cgroupsPath: () => string | undefined;
}): number | undefined {
  const { containerId, pid } = options;
  const text = pid === undefined ? undefined : readKernelFile(`/proc/${pid}/cgroup`);
  const living = text === undefined ? undefined : memoryCgroupIn(text, containerId);
  if (living) return readKills(living);
  const cgroupsPath = options.cgroupsPath();
  // The path of a systemd slice has another form, and one with dots could lead anywhere.
  if (cgroupsPath === undefined || !/^(\/[\w-][\w.-]*)+$/.test(cgroupsPath)) return undefined;
  return readKills({ isV1: true, path: cgroupsPath }) ?? readKills({ isV1: false, path: cgroupsPath });
}

function readKills({ isV1, path }: MemoryCgroup): number | undefined {
  const text = readKernelFile(
    `${CGROUP_ROOT}${isV1 ? '/memory' : ''}${path}/${isV1 ? 'memory.oom_control' : 'memory.events'}`,
  );
  return text === undefined ? undefined : oomKillsIn(text);
}
