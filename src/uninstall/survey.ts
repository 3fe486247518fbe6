import { constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DaemonPaths, daemonPathsOf } from '../daemon/daemon-paths.ts';
import { lockHolderOf } from '../daemon/lock-holder.ts';
import { CLAIMS_DIR } from '../daemon/monitor-claim.ts';
import { findUnits } from '../daemon/service-unit/install.ts';
import { listTimerUnits } from '../daemon/timers/systemd-timers.ts';
import type { Clock } from '../lib/clock.ts';
import { hostIdOf } from '../lib/dirs.ts';
import { errnoOf, hasCode } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Settings } from '../lib/settings.ts';
import type { NetworkContext } from '../network/network-context.ts';
import { DEFAULT_NETWORK } from '../network/network-names.ts';
import { listNetworks } from '../network/network-record.ts';
import { findPresentNetworks } from '../network/remove-network.ts';
import { hasAppArmorProfile } from '../system/apparmor.ts';
import { lockFile } from '../system/flock.ts';
import { listVolumes } from '../volume/volume-store.ts';
import { type ContextOf, findContainers, namesIn } from './containers.ts';
import type { Survey } from './plan.ts';
import { isDirectory } from './roots.ts';

export interface UninstallContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly contextOf: ContextOf;
  /** Path of the configuration file, whether it exists or not. */
  readonly configFile: string;
}

const HOST_ID = /^[0-9a-f]{8}$/;

/** Examines this host without changing anything. */
export async function surveyHost(ctx: UninstallContext): Promise<Survey> {
  const { settings, configFile } = ctx;
  const { address, runRoot, dataRoot, nerdctlDataRoot } = settings;
  const hostId = hostIdOf(address);
  const [runDir, dataDir] = [join(runRoot, hostId), join(dataRoot, hostId)];
  const networks = networksOf(ctx);
  const units = findUnits(settings);
  const monitor = await findMonitor(daemonPathsOf(settings), ctx.clock);
  return {
    ...{ hostId, runRoot, dataRoot },
    monitor,
    units: units.own,
    timers: listTimerUnits(hostId).filter((unit) => unit.endsWith('.timer')),
    ...(await findContainers({ runRoot, dataRoot, nerdctlDataRoot, hostId }, ctx.contextOf)),
    volumes: countVolumes(join(dataDir, 'volumes')),
    networks: listNetworks(networks).flatMap(({ name }) => (name === DEFAULT_NETWORK ? [] : name)),
    ...(await findPresentNetworks(networks)),
    hasAppArmorProfile: hasAppArmorProfile(),
    has: {
      run: isDirectory(runDir),
      data: isDirectory(dataDir),
      compileCache: isDirectory(join(dataRoot, COMPILE_CACHE)),
      claims: isDirectory(CLAIMS_DIR) && (monitor !== undefined || namesIn(CLAIMS_DIR).length === 0),
    },
    others: [
      ...[...new Set([runRoot, dataRoot])].flatMap((root) => foreignObjectsIn(root, hostId)),
      ...units.others.map((name) => `the unit ${name}, of another containerd`),
    ],
    configFile: statSync(configFile, { throwIfNoEntry: false })?.isFile() ? configFile : undefined,
  };
}

/** Made by bin/kept-cache.cjs. */
const COMPILE_CACHE = 'compile-cache';

export function networksOf({ settings, clock, log }: UninstallContext): NetworkContext {
  const { runRoot, dataRoot, address, network } = settings;
  return { clock, log, settings: network, dirs: { runRoot, dataRoot, hostId: hostIdOf(address) } };
}

/** The process id of the monitor: it holds a lock throughout its life, whether it answers or not. */
async function findMonitor(paths: DaemonPaths, clock: Clock): Promise<string | undefined> {
  try {
    (await lockFile({ path: paths.lock, flags: constants.O_RDWR, timeoutMs: 0 }, clock)).release();
    return undefined;
  } catch (error) {
    if (hasCode(error, 'TIMEOUT')) return lockHolderOf(paths);
    if (errnoOf(error) === 'ENOENT') return undefined; // there has never been one
    throw error;
  }
}

function countVolumes(directory: string): number {
  return namesIn(directory).reduce((count, namespace) => {
    // An unreadable volume may still contain a user's data.
    const faults: unknown[] = [];
    return count + listVolumes(join(directory, namespace), (error) => faults.push(error)).length + faults.length;
  }, 0);
}

/** Foreign objects in a root, one line each. */
function foreignObjectsIn(root: string, hostId: string): readonly string[] {
  return namesIn(root).flatMap((name) => {
    const path = join(root, name);
    const isOwn = (name === hostId || name === COMPILE_CACHE) && isDirectory(path);
    if (isOwn) return [];
    return HOST_ID.test(name) && isDirectory(path) ? `${path}: of another containerd, see --address` : path;
  });
}
