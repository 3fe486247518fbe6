import { join } from 'node:path';
import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { LABELS } from '../lib/labels.ts';
import type { Logger } from '../lib/logger.ts';
import type { NetworkSettings } from '../lib/settings.ts';
import { tellOnce } from '../lib/tell-once.ts';
import { noSpaceError } from '../store/atomic-write.ts';
import { createFileHealthStore } from '../store/file-health-store.ts';
import type { HealthStore } from '../store/health-store.ts';
import { hostIdOf, missingStateDirLabel, type StateDirs } from '../store/state-dir.ts';
import { makeOwnDirectory } from '../system/own-file.ts';
import { endNerdctlTimer } from './nerdctl-timer.ts';

/** What the use cases of containers work with: one containerd, one namespace, our directories. */
export interface ContainerContext {
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: HealthStore;
  readonly dirs: ContainerDirs;
  readonly snapshotter: string;
  readonly network: NetworkSettings;
  /** Ends the systemd timer by which nerdctl checks a container: see endNerdctlTimer. */
  readonly endNerdctlTimer: (id: string) => Promise<boolean>;
}

export interface ContainerDirs extends StateDirs {
  readonly dataRoot: string;
}

/** Builds the context around a connection. */
export function createContainerContext(parts: {
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly log: Logger;
  readonly dirs: Omit<ContainerDirs, 'hostId'>;
  readonly snapshotter: string;
  readonly network: NetworkSettings;
  readonly healthLogEntries?: number;
}): ContainerContext {
  const { containerd, clock, log, snapshotter, network } = parts;
  const onFault = tellOnce((text) => log.warn(text));
  const dirs = { ...parts.dirs, hostId: hostIdOf(containerd.address), onFault };
  const store = createFileHealthStore({
    dirs,
    clock,
    log,
    ...(parts.healthLogEntries === undefined ? {} : { maxEntries: parts.healthLogEntries }),
    writeMirror: (subject, json) =>
      containerd.containers.setLabels(subject.id, {
        [LABELS.nerdctlHealthstate]: json,
        ...missingStateDirLabel(dirs, subject),
      }),
  });
  const endTimer = (id: string) => endNerdctlTimer(id, { log });
  return { containerd, clock, log, store, dirs, snapshotter, network, endNerdctlTimer: endTimer };
}

/** What a container of ours keeps over a reboot: its output, the files generated for it. `<data root>/<hash of the address>/containers/<namespace>/<id>` */
export function dataDirOf(dirs: ContainerDirs, subject: { readonly namespace: string; readonly id: string }): string {
  return join(containersDirOf(dirs, subject.namespace), subject.id);
}

/** Makes it, before the container exists: by it one is known while containerd is away. Throws EXHAUSTED, system errors. */
export function makeDataDir(dirs: ContainerDirs, subject: { readonly namespace: string; readonly id: string }): void {
  const path = dataDirOf(dirs, subject);
  try {
    makeOwnDirectory(path);
  } catch (error) {
    throw noSpaceError(error, path);
  }
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
