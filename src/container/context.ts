import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { type ContainerDirs, dataDirOf, hostIdOf } from '../lib/dirs.ts';
import { LABELS } from '../lib/labels.ts';
import type { Logger } from '../lib/logger.ts';
import { reportOnce } from '../lib/report-once.ts';
import type { NetworkSettings } from '../lib/settings.ts';
import { createFileHealthStore } from '../store/file-health-store.ts';
import type { HealthStore } from '../store/health-store.ts';
import { missingStateDirLabel } from '../store/state-dir.ts';
import { noSpaceError } from '../system/atomic-write.ts';
import { makeOwnDirectory } from '../system/own-file.ts';
import { containerExists } from './container-exists.ts';
import { endNerdctlTimer } from './nerdctl/timer.ts';

/** The context of all container use cases: one containerd, one namespace, our directories. */
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

/** Creates the context for a connection. */
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
  const onFault = reportOnce((text) => log.warn(text));
  const dirs = { ...parts.dirs, hostId: hostIdOf(containerd.address), onFault };
  const store = createFileHealthStore({
    dirs,
    clock,
    log,
    ...(parts.healthLogEntries === undefined ? {} : { maxEntries: parts.healthLogEntries }),
    exists: ({ id }) => containerExists(containerd.containers, id),
    writeMirror: (subject, json) =>
      containerd.containers.setLabels(subject.id, {
        [LABELS.nerdctlHealthstate]: json,
        ...missingStateDirLabel(dirs, subject),
      }),
  });
  const endTimer = (id: string) => endNerdctlTimer(id, { log });
  return { containerd, clock, log, store, dirs, snapshotter, network, endNerdctlTimer: endTimer };
}

/**
 * Creates the directory before the container exists: it shows that there is a container while containerd is away.
 * Throws EXHAUSTED, system errors.
 */
export function makeDataDir(dirs: ContainerDirs, subject: { readonly namespace: string; readonly id: string }): void {
  const path = dataDirOf(dirs, subject);
  try {
    makeOwnDirectory(path);
  } catch (error) {
    throw noSpaceError(error, path);
  }
}
