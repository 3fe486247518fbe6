import { specOf } from '../record/details.ts';
import { type ContainerView, isUp } from '../record/view.ts';
import { oomKillsOf } from '../system/oom-kills.ts';

/**
 * Docker's `OOMKilled`: whether the kernel killed a process of the last run for lack of memory, the main one or
 * another, during and after the run. The monitor records it at the end of a run; until the task is deleted, the memory
 * cgroup shows it, with or without a monitor. It is reset by each start, which creates another cgroup.
 */
export function wasOutOfMemory({ record, task, isOutOfMemory = false }: ContainerView): boolean {
  if (isOutOfMemory || !task) return isOutOfMemory;
  const pid = isUp(task) ? task.pid : undefined;
  const kills = oomKillsOf({ containerId: record.id, pid, cgroupsPath: () => specOf(record)?.linux?.cgroupsPath });
  return (kills ?? 0) > 0;
}
