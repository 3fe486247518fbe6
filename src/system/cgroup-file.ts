import { existsSync } from 'node:fs';
import { readKernelFile } from './kernel-file.ts';

/** The mount point of the unified hierarchy; cgroup v1 has one directory per controller below it. */
const CGROUP_ROOT = '/sys/fs/cgroup';

/**
 * A file in a process's cgroup (cgroups(7)); undefined if not found.
 *
 * @param controllers alternatives for cgroup v1: the first found is used
 */
export function cgroupFileOf(pid: number, controllers: readonly string[], name: string): string | undefined {
  const text = readKernelFile(`/proc/${pid}/cgroup`) ?? '';
  const lines = text.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line)?.slice(1) ?? []);
  const line =
    lines.find(([names = '']) => names.split(',').some((each) => controllers.includes(each))) ??
    lines.find(([names]) => names === '');
  if (!line) return undefined;
  const [hierarchy = '', path = ''] = line;
  const file = `${CGROUP_ROOT}/${hierarchy}${path}/${name}`.replaceAll(/\/+/g, '/');
  return path !== '/' && existsSync(file) ? file : undefined;
}
