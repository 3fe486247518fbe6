import { readFileSync } from 'node:fs';
import { hasOpen, readStat } from './proc.ts';
import { factsOfPath } from './statx.ts';

export interface LockHolder {
  readonly pid: number;
  /** By a signal: it will not let go before it is told to go on. */
  readonly isStopped: boolean;
}

/** The process that holds a flock(2) on what `path` names; undefined where nobody does, or it cannot be told. */
export function lockHolder(path: string): LockHolder | undefined {
  const inode = factsOfPath(path)?.inode;
  if (inode === undefined) return undefined;
  for (const pid of flockPids(readFileSync('/proc/locks', 'latin1'), inode)) {
    const stat = hasOpen(pid, path) ? readStat(pid) : undefined;
    if (stat) return { pid, isStopped: stat.state === 'T' || stat.state === 't' };
  }
  return undefined;
}

/** proc_locks(5): `1: FLOCK  ADVISORY  WRITE 4711 00:1a:123 0 EOF`. Who waits has `->` before the type. */
function flockPids(table: string, inode: bigint): readonly number[] {
  return table
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([, type, , , , file]) => type === 'FLOCK' && file?.split(':')[2] === String(inode))
    .map(([, , , , pid]) => Number(pid));
}
