import { cgroupFileOf } from './cgroup-file.ts';
import { readKernelFile } from './kernel-file.ts';
import { childrenOf, readStat } from './proc.ts';

/** The number of processes of a container, and its limit. */
export interface CgroupLimits {
  readonly limit: number;
  /** Includes threads, and processes that ended but were not reaped. */
  readonly current: number;
  /** Children that its first process does not reap. */
  readonly zombies: number;
}

/** @param pid the container's first process. @returns undefined if there is no limit, or it cannot be read */
export function pidsOf(pid: number): CgroupLimits | undefined {
  const limit = numberIn(cgroupFileOf(pid, ['pids'], 'pids.max'));
  const current = numberIn(cgroupFileOf(pid, ['pids'], 'pids.current'));
  if (limit === undefined || current === undefined) return undefined;
  const zombies = childrenOf(pid).filter((child) => readStat(child)?.state === 'Z').length;
  return { limit, current, zombies };
}

function numberIn(path: string | undefined): number | undefined {
  const text = path === undefined ? undefined : readKernelFile(path);
  const number = Number(text ?? Number.NaN);
  return Number.isNaN(number) ? undefined : number; // `max`
}
