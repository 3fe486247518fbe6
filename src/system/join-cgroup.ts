import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { errnoOf } from '../lib/errors.ts';

/**
 * The hierarchies by which systemd assigns processes to a unit: cgroup v2, or its own named one beside the v1
 * controllers.
 */
const HIERARCHIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['', ['', 'unified']],
  ['name=systemd', ['systemd']],
]);

/**
 * Moves a process to the cgroup of another one, in systemd's hierarchies, so that it does not end with the unit or
 * session that started it. Does nothing if they share one, as without systemd; a move that is not allowed is skipped.
 */
export async function joinCgroupOf(pid: number, other: number): Promise<void> {
  const [own, theirs] = await Promise.all([cgroupsOf(pid), cgroupsOf(other)]);
  for (const [hierarchy, mounts] of HIERARCHIES) {
    const path = theirs.get(hierarchy);
    if (path === undefined || own.get(hierarchy) === path) continue;
    for (const mount of mounts) {
      // From the other process's view: the sandbox of our own unit has read-only cgroups.
      const file = `/proc/${other}/root/sys/fs/cgroup/${mount}${path}/cgroup.procs`;
      if (await write(file, `${pid}`)) break;
    }
  }
}

/** Paths by hierarchy name, from `/proc/<pid>/cgroup`; empty if the process is gone. */
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
