import { readdirSync } from 'node:fs';
import { isAlive, readCommandLine, readStat } from '../system/proc.ts';

/**
 * The ids of containers with a running process, found through their shims, which outlive containerd: a shim has its
 * container's id among its arguments, and the container's first process as its child.
 *
 * @param ids the ids in question
 */
export function findRunning(ids: ReadonlySet<string>): ReadonlySet<string> {
  const shims = new Map<number, string>();
  const parents = new Set<number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readStat(pid) : undefined;
    if (stat === undefined || !isAlive(stat)) continue;
    parents.add(stat.parentPid);
    const id = containerOfShim((readCommandLine(pid) ?? '').split('\0'));
    if (id !== undefined && ids.has(id)) shims.set(pid, id);
  }
  return new Set([...shims].flatMap(([pid, id]) => (parents.has(pid) ? id : [])));
}

/** The value of `-id` in the command line of a shim (containerd, runtime v2); undefined for another program. */
function containerOfShim([program = '', ...args]: readonly string[]): string | undefined {
  if (!/(^|\/)containerd-shim-[^/]*$/.test(program)) return undefined;
  return args[args.indexOf('-id') + 1];
}
