import { join } from 'node:path';
import type { FaultReporter } from './fault-reporter.ts';
import { sha256Hex } from './sha256.ts';

export interface StateDirs extends FaultReporter {
  /** Identifies the containerd of the containers: see hostIdOf. */
  readonly hostId: string;
  /** Absolute, as returned by path.resolve. */
  readonly runRoot: string;
  /** Directories that labels of foreign containers name are trusted only below this one. */
  readonly nerdctlDataRoot: string;
}

/** The directory name of one containerd in a root: the first 8 hex digits of the SHA-256 of its socket's path. */
export function hostIdOf(address: string): string {
  return sha256Hex(address).slice(0, 8);
}

/**
 * The directory with the health of a container of ours, or of a foreign one without a directory. Computed for each
 * check, so without path.join, which would be a tenth of the cost of a check without its probe.
 */
export function runDirOf(dirs: StateDirs, subject: { readonly namespace: string; readonly id: string }): string {
  return `${dirs.runRoot}/${dirs.hostId}/${subject.namespace}/${subject.id}`;
}

export interface ContainerDirs extends StateDirs {
  readonly dataRoot: string;
}

/** The directories, and the namespace whose containers are meant. */
export interface NamespaceDirs {
  readonly dirs: ContainerDirs;
  readonly namespace: string;
}

/**
 * The directory with the data of a container of ours that survives a reboot: its output and generated files. `<data
 * root>/<hash of the address>/containers/<namespace>/<id>`
 */
export function dataDirOf(dirs: ContainerDirs, subject: { readonly namespace: string; readonly id: string }): string {
  return join(containersDirOf(dirs, subject.namespace), subject.id);
}

/** Contains a directory for each container of ours in the namespace, from its creation to its removal. */
export function containersDirOf(dirs: ContainerDirs, namespace: string): string {
  return join(dirs.dataRoot, dirs.hostId, 'containers', namespace);
}

/** The directory with the volumes of a namespace. `<data root>/<hash of the address>/volumes/<namespace>` */
export function volumesDirOf(dirs: ContainerDirs, namespace: string): string {
  return join(dirs.dataRoot, dirs.hostId, 'volumes', namespace);
}

/** The directory of a namespace in the run root: it contains the lock on names. */
export function namespaceRunDir(dirs: StateDirs, namespace: string): string {
  return join(dirs.runRoot, dirs.hostId, namespace);
}
