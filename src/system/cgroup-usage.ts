import { cgroupDirsIn } from './cgroup-stats.ts';
import { readKernelFile } from './kernel-file.ts';

/** The files in which the kernel counts what a container uses. */
export interface UsageFiles {
  readonly isV1: boolean;
  /** `cpuacct.usage` (v1) or `cpu.stat`. */
  readonly cpu: string;
  /** The directory of its memory; undefined where memory is not counted. */
  readonly memory: string | undefined;
}

/** What the processes of a container have used, or use. */
export interface CgroupUsage {
  /** Since its start, in milliseconds of one processor. */
  readonly cpuMs: number | undefined;
  /** Without files that the kernel could drop, as `docker stats` counts (docker/cli, command/container/stats_helpers.go). */
  readonly memoryBytes: number | undefined;
}

/**
 * Pure: the files of a container, from `/proc/PID/cgroup` of its main process. Sub-cgroups that the container made are
 * cut off, by the id in the path. Undefined if it has no cgroup of its own.
 */
export function usageFilesIn(text: string, containerId: string): UsageFiles | undefined {
  const dirs = cgroupDirsIn(text, containerId);
  const cpu = dirs.get('cpuacct');
  if (cpu !== undefined) return { isV1: true, cpu: `${cpu}/cpuacct.usage`, memory: dirs.get('memory') };
  const unified = dirs.get('unified');
  return unified === undefined ? undefined : { isV1: false, cpu: `${unified}/cpu.stat`, memory: unified };
}

/** The files of the container whose main process has this pid; undefined if it is gone, or has no cgroup of its own. */
export function findUsageFiles(pid: number, containerId: string): UsageFiles | undefined {
  const text = readKernelFile(`/proc/${pid}/cgroup`);
  return text === undefined ? undefined : usageFilesIn(text, containerId);
}

export function readUsage({ isV1, cpu, memory }: UsageFiles): CgroupUsage {
  const cpuText = readKernelFile(cpu);
  return {
    cpuMs: cpuText === undefined ? undefined : isV1 ? Number(cpuText) / 1e6 : numberOf(cpuText, 'usage_usec', 1e3),
    memoryBytes: memory === undefined ? undefined : readMemory(memory, isV1),
  };
}

function readMemory(directory: string, isV1: boolean): number | undefined {
  const used = readKernelFile(`${directory}/${isV1 ? 'memory.usage_in_bytes' : 'memory.current'}`);
  if (used === undefined) return undefined;
  const stat = readKernelFile(`${directory}/memory.stat`) ?? '';
  const inactive = numberOf(stat, isV1 ? 'total_inactive_file' : 'inactive_file', 1) ?? 0;
  const bytes = Number(used);
  return inactive < bytes ? bytes - inactive : bytes;
}

function numberOf(text: string, key: string, unit: number): number | undefined {
  const value = new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value) / unit;
}
