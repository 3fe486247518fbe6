import { constants } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import type { FaultReporter } from '../lib/fault-reporter.ts';
import type { Logger } from '../lib/logger.ts';
import type { NetworkSettings } from '../lib/settings.ts';
import { noSpaceError } from '../system/atomic-write.ts';
import { lockFile } from '../system/flock.ts';
import { makeOwnDirectory } from '../system/own-file.ts';

/** What everything about networks works with. Networks belong to a containerd, whatever its namespaces. */
export interface NetworkContext {
  readonly dirs: NetworkDirs;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: NetworkSettings;
}

export interface NetworkDirs extends FaultReporter {
  readonly hostId: string;
  readonly runRoot: string;
  readonly dataRoot: string;
}

export interface NetworkPlaces {
  readonly root: string;
  /** One file for each network. */
  readonly networks: string;
  /** One file for each container that is attached. */
  readonly attached: string;
  /** Of host-local: one directory for each network. */
  readonly leases: string;
  readonly lock: string;
  /** Tells which rules of the firewall are set, until the next boot. */
  readonly rules: string;
}

export function networkPlacesOf({ dataRoot, runRoot, hostId }: NetworkDirs): NetworkPlaces {
  const root = join(dataRoot, hostId, 'network');
  return {
    root,
    networks: join(root, 'networks'),
    attached: join(root, 'attached'),
    leases: join(root, 'leases'),
    lock: join(root, 'lock'),
    rules: join(runRoot, hostId, '.network-rules'),
  };
}

/** The same while the lock is held: what changes anything takes this one. */
export interface LockedNetworks extends NetworkContext {
  /** Given to the programs that are started, which hold the lock as long as they run: also when we are killed before them. */
  readonly lockFd: number;
}

/** What an unprivileged user may not do as DENIED, all other errors as they are. */
export function deniedError(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno !== 'EACCES' && errno !== 'EPERM') return error;
  return new HealthctlError('DENIED', `permission denied: ${path}`, { cause: error, hint: 'networks need root' });
}

/** A plugin may take seconds on a busy machine, and several containers start at once. */
const LOCK_LIMIT_MS = 120_000;

/** Runs `work` while no other process of ours changes networks or what is attached to them: commands and the monitor meet here. */
export async function withNetworkLock<T>(
  ctx: NetworkContext,
  work: (locked: LockedNetworks) => Promise<T>,
): Promise<T> {
  const { dirs, clock } = ctx;
  const places = networkPlacesOf(dirs);
  try {
    for (const dir of [places.root, places.networks, places.attached, places.leases]) makeOwnDirectory(dir, dirs);
  } catch (error) {
    throw deniedError(noSpaceError(error, places.root), places.root);
  }
  const lock = await lockFile(
    { path: places.lock, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: LOCK_LIMIT_MS, onFault: dirs.onFault },
    clock,
  );
  try {
    return await work({ ...ctx, lockFd: lock.fd });
  } finally {
    lock.release();
  }
}
