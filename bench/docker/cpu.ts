import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CPUACCT = '/sys/fs/cgroup/cpuacct';

/**
 * The CPU time of all processes that ever ran in the cgroup or below it. Daemons and shims are in it, containers below
 * it. So a check counts completely, however short its processes live, and other work of the machine does not count.
 */
export function cpuMsOfGroup(group: string): number {
  return Number(readFileSync(join(CPUACCT, group, 'cpuacct.usage'), 'utf8')) / 1e6;
}

/**
 * The time that the threads of a process ran, without its children, in nanoseconds. Threads that have ended are
 * missing: neither daemon ends threads often.
 */
export function cpuMsOfProcess(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ranMs = (tid: string) => Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  return threads.reduce((sum, tid) => sum + ranMs(tid), 0);
}
