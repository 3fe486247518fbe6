import { join } from 'node:path';
import { hostIdOf } from '../lib/dirs.ts';

/** The paths of the monitor of one containerd. A name that begins with a dot is no namespace. */
export interface DaemonPaths {
  /** On tmpfs. */
  readonly dir: string;
  /** Held by the monitor throughout its life. */
  readonly lock: string;
  /** Held by a process that starts a monitor, and by a monitor that is about to end itself. */
  readonly startLock: string;
  readonly apiSocket: string;
  readonly grpcSocket: string;
  /** Log of a monitor that a command started. */
  readonly logFile: string;
  /** The alerts that fire: see alerts/alert-file.ts. */
  readonly alertsFile: string;
}

export function daemonPathsOf(settings: {
  readonly address: string;
  readonly runRoot: string;
  readonly dataRoot: string;
}): DaemonPaths {
  const hostId = hostIdOf(settings.address);
  const dir = join(settings.runRoot, hostId, '.daemon');
  return {
    dir,
    lock: join(dir, 'lock'),
    startLock: join(dir, 'start.lock'),
    apiSocket: join(dir, 'api.sock'),
    grpcSocket: join(dir, 'grpc.sock'),
    logFile: join(settings.dataRoot, hostId, 'daemon.log'),
    alertsFile: join(settings.dataRoot, hostId, 'alerts.json'),
  };
}
