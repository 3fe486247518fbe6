import { readFileSync } from 'node:fs';
import { hasOpen, readStat } from './proc.ts';
import { factsOfPath } from './statx.ts';

export interface LockHolder {
  readonly pid: number;
  /** Stopped by a signal: it will not release the lock until it is continued. */
  readonly isStopped: boolean;
}

/** The process that holds a flock(2) on the object at `path`; undefined if there is none, or it cannot be found. */
export function lockHolder(path: string): LockHolder | undefined {
  const inode = factsOfPath(path)?.inode;
  if (inode === undefined) return undefined;
  for (const pid of flockPids(readFileSync('/proc/locks', 'latin1'), inode)) {
    const stat = hasOpen(pid, path) ? readStat(pid) : undefined;
    if (stat) return { pid, isStopped: stat.state === 'T' || stat.state === 't' };
  }
  return undefined;
}

/** proc_locks(5): `1: FLOCK  ADVISORY  WRITE 4711 00:1a:123 0 EOF`. Waiting processes have `->` before the type. */
function flockPids(table: string, inode: bigint): readonly number[] {
  return table
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([, type, , , , file]) => type === 'FLOCK' && file?.split(':')[2] === String(inode))
    .map(([, , , , pid]) => Number(pid));
}
