import { existsSync } from 'node:fs';
import { readKernelFile } from './kernel-file.ts';

/** The mount point of the unified hierarchy; cgroup v1 has one directory per controller below it. */
export const CGROUP_ROOT = '/sys/fs/cgroup';

/** A line of `/proc/PID/cgroup` (cgroups(7)). */
interface CgroupLine {
  /** The hierarchy of cgroup v1, e.g. `cpu,cpuacct`; empty for the unified one. */
  readonly names: string;
  /** The same, one by one. */
  readonly controllers: readonly string[];
  /** From the root of the hierarchy, e.g. `/default/3f4e`. */
  readonly path: string;
}

export function cgroupLinesIn(text: string): readonly CgroupLine[] {
  return text.split('\n').flatMap((line) => {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return names === undefined || path === undefined ? [] : [{ names, controllers: names.split(','), path }];
  });
}

/** The path without sub-cgroups that the container made; undefined if its id is not in the path. */
export function containerCgroupOf(path: string, containerId: string): string | undefined {
  const parts = path.split('/');
  const own = parts.findLastIndex((part) => part.includes(containerId));
  return own < 0 ? undefined : parts.slice(0, own + 1).join('/');
}

/**
 * A file in a process's cgroup (cgroups(7)); undefined if not found.
 *
 * @param controllers alternatives for cgroup v1: the first found is used
 */
export function cgroupFileOf(pid: number, controllers: readonly string[], name: string): string | undefined {
  const lines = cgroupLinesIn(readKernelFile(`/proc/${pid}/cgroup`) ?? '');
  const line =
    lines.find((one) => one.controllers.some((each) => controllers.includes(each))) ??
    lines.find(({ names }) => names === '');
  if (!line) return undefined;
  const { names, path } = line;
  const file = `${CGROUP_ROOT}/${names}${path}/${name}`.replaceAll(/\/+/g, '/');
  return path !== '/' && existsSync(file) ? file : undefined;
}
