import { readlinkSync } from 'node:fs';
import { totalmem } from 'node:os';
import { processOfRun } from '../../health/state.ts';
import type { ContainerView } from '../../record/view.ts';
import {
  type CgroupStats,
  type InterfaceStats,
  interfacesIn,
  readCgroupStats,
  readSystemCpu,
} from '../../system/cgroup-stats.ts';
import { readKernelFile } from '../../system/kernel-file.ts';
import { readStat } from '../../system/proc.ts';

/** What a container has used by a moment. */
export interface Sample {
  readonly atMs: number;
  readonly system: { readonly totalNs: number; readonly online: number };
  readonly counters: CgroupStats;
  /** By name; of a container with the host's network none. */
  readonly interfaces: ReadonlyMap<string, InterfaceStats>;
}

/** Undefined if the container does not run. */
export function readSample(view: ContainerView, nowMs: number): Sample | undefined {
  const { taskView } = view;
  const main = 'run' in taskView && taskView.run ? processOfRun(taskView.run.id) : undefined;
  if (!main || readStat(main.pid)?.startTimeTicks !== main.startTimeTicks) return undefined;
  const counters = readCgroupStats(main.pid, view.record.id);
  if (!counters) return undefined;
  return { atMs: nowMs, system: readSystemCpu(), counters, interfaces: interfacesOf(main.pid) };
}

function interfacesOf(pid: number): ReadonlyMap<string, InterfaceStats> {
  if (namespaceOf(pid) === namespaceOf('self')) return new Map();
  return interfacesIn(readKernelFile(`/proc/${pid}/net/dev`) ?? '');
}

function namespaceOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined; // it has ended
  }
}

/** Memory without files that the kernel could drop, as `docker stats` counts (docker/cli, stats_helpers.go). */
export function memoryUsed({ memory: { usage, stat } }: CgroupStats): number {
  const v1 = stat.total_inactive_file;
  if (v1 !== undefined && v1 < usage) return usage - v1;
  const v2 = stat.inactive_file ?? 0;
  return v2 < usage ? usage - v2 : usage;
}

/** The container's limit, or the memory of the host. */
export const memoryLimit = ({ memory: { limit } }: CgroupStats): number => Math.min(limit, totalmem());

/** Of one processor, since an earlier sample of the same run; 0 without one. */
export function cpuShare(now: Sample, before: Sample | undefined): number {
  if (!before) return 0;
  const used = now.counters.cpu.total - before.counters.cpu.total;
  const passed = now.system.totalNs - before.system.totalNs;
  return used > 0 && passed > 0 ? (used / passed) * now.system.online : 0;
}
