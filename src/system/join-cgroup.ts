import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { errnoOf } from '../lib/errors.ts';

/** The hierarchies by which systemd tells what belongs to a unit: that of cgroup v2, and its own beside controllers of v1. */
const HIERARCHIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['', ['', 'unified']],
  ['name=systemd', ['systemd']],
]);

/**
 * Moves a process to the cgroup of another one, as far as systemd goes by it, so that it is not ended with the unit or session that it was
 * started from. Where they are in the same one, as without systemd, nothing is done; what is not allowed is left.
 */
export async function joinCgroupOf(pid: number, other: number): Promise<void> {
  const [own, theirs] = await Promise.all([cgroupsOf(pid), cgroupsOf(other)]);
  for (const [hierarchy, mounts] of HIERARCHIES) {
    const path = theirs.get(hierarchy);
    if (path === undefined || own.get(hierarchy) === path) continue;
    for (const mount of mounts) {
      // As the other process sees it: the sandbox of our own unit has cgroups read-only.
      const file = `/proc/${other}/root/sys/fs/cgroup/${mount}${path}/cgroup.procs`;
      if (await write(file, `${pid}`)) break;
    }
  }
}

/** Paths by the names of hierarchies, as `/proc/<pid>/cgroup` has them; none of a process that is gone. */
async function cgroupsOf(pid: number): Promise<ReadonlyMap<string, string>> {
  try {
    const lines = (await readFile(`/proc/${pid}/cgroup`, 'latin1')).trimEnd().split('\n');
    return new Map(
      lines.map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? []).map(([, name = '', path = '']) => [name, path]),
    );
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return new Map();
  }
}

async function write(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, constants.O_WRONLY);
    try {
      await file.write(text);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
