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

/** The context of all network use cases. Networks belong to a containerd, whatever its namespaces. */
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

export interface NetworkPaths {
  readonly root: string;
  /** One file for each network. */
  readonly networks: string;
  /** One file for each attached container. */
  readonly attached: string;
  /** Of host-local: one directory for each network. */
  readonly leases: string;
  readonly lock: string;
  /** Records which firewall rules are set, until the next boot. */
  readonly rules: string;
}

export function networkPathsOf({ dataRoot, runRoot, hostId }: NetworkDirs): NetworkPaths {
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

/** The context while the lock is held: required by every function that changes something. */
export interface LockedNetworks extends NetworkContext {
  /** Passed to started programs, which hold the lock while they run: also if we are killed before them. */
  readonly lockFd: number;
}

/** Missing privileges as DENIED, all other errors unchanged. */
export function deniedError(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno !== 'EACCES' && errno !== 'EPERM') return error;
  return new HealthctlError('DENIED', `permission denied: ${path}`, { cause: error, hint: 'networks need root' });
}

/** A plugin may take seconds on a busy machine, and several containers may start at the same time. */
const LOCK_LIMIT_MS = 120_000;

/** Runs `work` while no other process of ours, command or monitor, changes networks or attachments. */
export async function withNetworkLock<T>(
  ctx: NetworkContext,
  work: (locked: LockedNetworks) => Promise<T>,
): Promise<T> {
  const { dirs, clock } = ctx;
  const paths = networkPathsOf(dirs);
  try {
    for (const dir of [paths.root, paths.networks, paths.attached, paths.leases]) makeOwnDirectory(dir, dirs);
  } catch (error) {
    throw deniedError(noSpaceError(error, paths.root), paths.root);
  }
  const lock = await lockFile(
    { path: paths.lock, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: LOCK_LIMIT_MS, onFault: dirs.onFault },
    clock,
  );
  try {
    return await work({ ...ctx, lockFd: lock.fd });
  } finally {
    lock.release();
  }
}
