import { join } from 'node:path';
import type { FaultReporter } from './fault-reporter.ts';
import { sha256Hex } from './sha256.ts';

export interface StateDirs extends FaultReporter {
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

export interface ContainerDirs extends StateDirs {
  readonly dataRoot: string;
}

/** What a container of ours keeps over a reboot: its output, the files generated for it. `<data root>/<hash of the address>/containers/<namespace>/<id>` */
export function dataDirOf(dirs: ContainerDirs, subject: { readonly namespace: string; readonly id: string }): string {
  return join(containersDirOf(dirs, subject.namespace), subject.id);
}

/** Has a directory for each container of ours in the namespace, from its create to its removal. */
export function containersDirOf(dirs: ContainerDirs, namespace: string): string {
  return join(dirs.dataRoot, dirs.hostId, 'containers', namespace);
}

/** Where the volumes of a namespace are. `<data root>/<hash of the address>/volumes/<namespace>` */
export function volumesDirOf(dirs: ContainerDirs, namespace: string): string {
  return join(dirs.dataRoot, dirs.hostId, 'volumes', namespace);
}

/** The directory of a whole namespace in the run root: it holds the lock on names. */
export function namespaceRunDir(dirs: StateDirs, namespace: string): string {
  return join(dirs.runRoot, dirs.hostId, namespace);
}
