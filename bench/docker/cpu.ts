import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CPUACCT = '/sys/fs/cgroup/cpuacct';
const MS_PER_TICK = 10; // USER_HZ is 100 on every Linux that Node.js runs on

/**
 * CPU of all processes that ever ran in the cgroup or below it. Daemons and shims are in it and containers below, so a check counts
 * whole, however short its processes live, and other work of the machine does not.
 */
export function cpuMsOfGroup(group: string): number {
  return Number(readFileSync(join(CPUACCT, group, 'cpuacct.usage'), 'utf8')) / 1e6;
}

/** User and system time of a process, without its children. */
export function cpuMsOfProcess(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
