import { readFileSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

const CGROUP_ROOT = '/sys/fs/cgroup';

/** Where a container's memory is counted. */
export interface MemoryCgroup {
  /** Of cgroup v1, which has a hierarchy for memory alone. */
  readonly isV1: boolean;
  /** From the root of the hierarchy, e.g. `/default/3f4e`. */
  readonly path: string;
}

/**
 * Pure: the memory cgroup of a container, from `/proc/PID/cgroup` of a process of it. What the container made below its own is cut off, by
 * the id in the path. Undefined where it has none of its own, or none that bears the id.
 */
export function memoryCgroupIn(text: string, containerId: string): MemoryCgroup | undefined {
  const lines = text.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return controllers === undefined || path === undefined ? [] : [{ controllers: controllers.split(','), path }];
  });
  const v1 = lines.find(({ controllers }) => controllers.includes('memory'));
  const found = v1 ?? lines.find(({ controllers }) => controllers[0] === '');
  if (!found) return undefined;
  const parts = found.path.split('/');
  const own = parts.findLastIndex((part) => part.includes(containerId));
  return own < 0 ? undefined : { isV1: v1 !== undefined, path: parts.slice(0, own + 1).join('/') };
}

/** Pure: how many processes the kernel has killed, as `memory.oom_control` (v1) and `memory.events` (v2) tell; undefined where they do not. */
export function oomKillsIn(text: string): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
  return count === undefined ? undefined : Number(count);
}

/**
 * How many processes of a container the kernel has killed for want of memory since it was started; undefined where nothing tells: an old
 * kernel, or the cgroup is gone. It stays with the task, also when that has ended.
 *
 * @param options.pid of the main process, while it lives
 * @param options.cgroupsPath of the runtime spec, for when it does not
 */
export function oomKillsOf(options: {
  readonly containerId: string;
  readonly pid: number | undefined;
  readonly cgroupsPath: () => string | undefined;
}): number | undefined {
  const { containerId, pid } = options;
  const text = pid === undefined ? undefined : readOrNone(`/proc/${pid}/cgroup`);
  const living = text === undefined ? undefined : memoryCgroupIn(text, containerId);
  if (living) return readKills(living);
  const cgroupsPath = options.cgroupsPath();
  // That of a systemd slice has another form, and one with dots could lead anywhere.
  if (cgroupsPath === undefined || !/^(\/[\w-][\w.-]*)+$/.test(cgroupsPath)) return undefined;
  return readKills({ isV1: true, path: cgroupsPath }) ?? readKills({ isV1: false, path: cgroupsPath });
}

function readKills({ isV1, path }: MemoryCgroup): number | undefined {
  const text = readOrNone(
    `${CGROUP_ROOT}${isV1 ? '/memory' : ''}${path}/${isV1 ? 'memory.oom_control' : 'memory.events'}`,
  );
  return text === undefined ? undefined : oomKillsIn(text);
}

function readOrNone(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
