import { resolve, sep } from 'node:path';
import { LABELS } from '../lib/labels.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { realPath } from '../system/real-path.ts';
import type { HealthSubject } from './health-store.ts';

export interface StateDirs {
  /** Tells the containerd that the containers live in from others: see hostIdOf. */
  readonly hostId: string;
  /** Absolute, as path.resolve gives it. */
  readonly runRoot: string;
  /** Directories that labels of foreign containers name are believed only below this one. */
  readonly nerdctlDataRoot: string;
}

/** One containerd's directory in a root: the first 8 hex digits of the SHA-256 of its socket's path. */
export function hostIdOf(address: string): string {
  return sha256Hex(address).slice(0, 8);
}

/**
 * Where a container of ours, or a foreign one without a directory, keeps its health. Asked for with each check, where path.join for this
 * and for what lies in it is a tenth of what a check costs without its probe.
 */
export function runDirOf(dirs: StateDirs, subject: { readonly namespace: string; readonly id: string }): string {
  return `${dirs.runRoot}/${dirs.hostId}/${subject.namespace}/${subject.id}`;
}

/** Whose a state directory is decides what may be done to it: ours is made and removed, nerdctl's is only used. */
export interface StateDir {
  readonly path: string;
  readonly isOurs: boolean;
}

/**
 * Where a container's `health.json` is. A container of nerdctl's has the directory that its label names, if and only if that lies under
 * nerdctl's data root: a label could name any path of the host.
 */
export function stateDirOf(dirs: StateDirs, subject: HealthSubject): StateDir {
  const ours = { path: runDirOf(dirs, subject), isOurs: true };
  const named = subject.labels[LABELS.stateDir];
  if (subject.labels[LABELS.owner] !== undefined || named === undefined) return ours;
  const path = realPath(resolve(named));
  const root = realPath(resolve(dirs.nerdctlDataRoot));
  if (path === undefined || root === undefined || !path.startsWith(`${root}${sep}`)) return ours;
  return { path, isOurs: false };
}
