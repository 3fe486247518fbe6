import { readlinkSync } from 'node:fs';
import { isAlive, readBootId, readStat } from './proc.ts';

/**
 * Identifies this process on this host for all time: `BOOTID/PIDNAMESPACE/PID/STARTTICKS`, e.g.
 * `0f3c…/4026531836/4711/123456`. Pids mean nothing in another PID namespace.
 */
export function ownIdentity(): string {
  return identityOf(process.pid, readStat(process.pid)?.startTimeTicks ?? 0);
}

/** Whether the process with this identity has certainly ended; false if unknown. */
export function hasEnded(identity: string): boolean {
  const [bootId, pidNamespace, pid, ticks, ...more] = identity.split('/');
  if (!/^\d+$/.test(pid ?? '') || ticks === undefined || more.length > 0) return false;
  if (bootId !== readBootId()) return true;
  if (pidNamespace !== ownPidNamespace()) return false;
  const stat = readStat(Number(pid));
  return !isAlive(stat) || `${stat?.startTimeTicks}` !== ticks;
}

const identityOf = (pid: number, ticks: number): string => `${readBootId()}/${ownPidNamespace()}/${pid}/${ticks}`;

const ownPidNamespace = (): string => /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '';
