import { existsSync, readFileSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

/** The mount point of the unified hierarchy; cgroup v1 has one directory per controller below it. */
const CGROUP_ROOT = '/sys/fs/cgroup';

/**
 * A file in a process's cgroup (cgroups(7)); undefined if not found.
 *
 * @param controllers alternatives for cgroup v1: the first found is used
 */
export function cgroupFileOf(pid: number, controllers: readonly string[], name: string): string | undefined {
  let lines: readonly (readonly string[])[];
  try {
    lines = readFileSync(`/proc/${pid}/cgroup`, 'latin1')
      .trimEnd()
      .split('\n')
      .map((line) => /^\d+:([^:]*):(.*)$/.exec(line)?.slice(1) ?? []);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
  const line =
    lines.find(([names = '']) => names.split(',').some((each) => controllers.includes(each))) ??
    lines.find(([names]) => names === '');
  if (!line) return undefined;
  const [hierarchy = '', path = ''] = line;
  const file = `${CGROUP_ROOT}/${hierarchy}${path}/${name}`.replaceAll(/\/+/g, '/');
  return path !== '/' && existsSync(file) ? file : undefined;
}
