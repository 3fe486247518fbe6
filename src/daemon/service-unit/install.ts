import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { isAppArmorEnabled } from '../../system/apparmor.ts';
import { replaceFile } from '../../system/atomic-write.ts';
import { readPlainFile } from '../../system/plain-file.ts';
import { isSystemdRunning, type Systemd, systemd as systemdHere } from '../../system/systemd.ts';
import { forgetProfileAtBoot, loadProfileAtBoot, unitsIn } from './apparmor-at-boot.ts';
import { socketPathIn, socketUnitNameOf, socketUnitTextOf, type UnitRequest, unitNameOf, unitTextOf } from './unit.ts';

/** The directory of units that do not come from a package. */
const UNIT_DIR = '/etc/systemd/system';
/** Where systemd looks (systemd.unit(5), "Unit File Load Path"). */
const UNIT_DIRS = [
  UNIT_DIR,
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

const BOOT_PLACES = { profileDir: '/etc/apparmor.d', unitDir: UNIT_DIR };

type Addressed = { readonly address: string };

/** Whether a unit for this containerd is installed, by us or by a package. */
export function isUnitInstalled({ address }: Addressed): boolean {
  return UNIT_DIRS.some((dir) => existsSync(join(dir, unitNameOf(address))));
}

export interface InstallRequest extends UnitRequest {
  /** Called when the unit is written and about to start: a running monitor has to end first. */
  readonly makeWay: () => Promise<void>;
}

/**
 * Writes and enables the monitor's unit, and starts or restarts it. Resolves when the monitor is ready.
 *
 * @returns the names of the units
 * @throws UNAVAILABLE without systemd, or if it does not start: it stays installed then, and systemd keeps trying.
 *   DENIED, INVALID
 */
export async function installUnit(request: InstallRequest, systemd: Systemd = systemdHere): Promise<readonly string[]> {
  systemd.require();
  const { settings, dockerSocket } = request;
  const [name, socket] = [unitNameOf(settings.address), socketUnitNameOf(settings.address)];
  const text = unitTextOf(request);
  const socketText = dockerSocket && socketUnitTextOf(settings, dockerSocket);
  if (isAppArmorEnabled()) loadProfileAtBoot(BOOT_PLACES, writeSystemFile);
  const isSocketThere = existsSync(join(UNIT_DIR, socket));
  if (isSocketThere && socketText === undefined) {
    await systemd.run('systemctl', ['disable', '--quiet', '--now', socket]);
    rmSync(join(UNIT_DIR, socket), { force: true });
  }
  writeSystemFile(join(UNIT_DIR, name), text);
  if (socketText !== undefined) writeSystemFile(join(UNIT_DIR, socket), socketText);
  const names = [...(socketText === undefined ? [] : [socket]), name];
  await systemd.run('systemctl', ['daemon-reload']);
  await systemd.run('systemctl', ['enable', '--quiet', ...names]);
  await systemd.run('systemctl', ['stop', ...names]);
  await request.makeWay();
  // Its socket starts with it, and no client's connection can start it before.
  await startNamed(name, systemd);
  return names.toReversed();
}

/** The path of the socket for Docker's API that an installed unit opens. */
export function installedDockerSocket({ address }: Addressed): string | undefined {
  const path = join(UNIT_DIR, socketUnitNameOf(address));
  return existsSync(path) ? socketPathIn(readPlainFile(path).toString()) : undefined;
}

/**
 * Stops the unit's monitor, and removes the unit, and that of its socket.
 *
 * @returns the names of the units
 * @throws UNAVAILABLE without systemd; NOT_FOUND if it is not installed, or belongs to a package
 */
export async function uninstallUnit(
  { address }: Addressed,
  systemd: Systemd = systemdHere,
): Promise<readonly string[]> {
  systemd.require();
  const name = unitNameOf(address);
  const path = join(UNIT_DIR, name);
  if (!existsSync(path))
    throw new HealthctlError('NOT_FOUND', `there is no unit ${path}`, {
      hint: isUnitInstalled({ address })
        ? 'the unit came with a package: remove that'
        : `no monitor of containerd at ${address} is installed`,
    });
  const names = namesWithSocket(address);
  await systemd.run('systemctl', ['disable', '--quiet', '--now', ...names]);
  for (const each of names) rmSync(join(UNIT_DIR, each), { force: true });
  forgetProfile();
  await systemd.run('systemctl', ['daemon-reload']);
  // Fails, without effect, for a unit that has not failed.
  for (const each of names) await systemd.run('systemctl', ['reset-failed', each]).catch(() => undefined);
  return names;
}

/** The unit, and that of its socket if there is one. */
function namesWithSocket(address: string): readonly string[] {
  const socket = socketUnitNameOf(address);
  return [unitNameOf(address), ...(existsSync(join(UNIT_DIR, socket)) ? [socket] : [])];
}

/**
 * The installed units of monitors on this host, by us or by hand but not from a package: of this containerd, and of
 * others.
 */
export function findUnits({ address }: Addressed): {
  /** With that of its socket. */
  readonly own: readonly string[];
  readonly others: readonly string[];
} {
  const own = unitNameOf(address);
  const names = unitsIn(UNIT_DIR);
  return { own: names.includes(own) ? namesWithSocket(address) : [], others: names.filter((name) => name !== own) };
}

/** Like uninstallUnit, for a unit of findUnits, also without systemd: then nothing runs, and its files are removed. */
export async function removeUnit(addressed: Addressed, systemd: Systemd = systemdHere): Promise<void> {
  if (isSystemdRunning()) {
    await uninstallUnit(addressed, systemd);
    return;
  }
  const name = unitNameOf(addressed.address);
  const socket = socketUnitNameOf(addressed.address);
  for (const path of [join('multi-user.target.wants', name), name, join('sockets.target.wants', socket), socket])
    rmSync(join(UNIT_DIR, path), { force: true });
  forgetProfile();
}

/**
 * Stops the unit of this containerd, if it is installed: otherwise it would restart a monitor that was asked to end.
 * So would a client of its socket.
 */
export async function stopUnit(addressed: Addressed, systemd: Systemd = systemdHere): Promise<void> {
  if (isUnitInstalled(addressed)) await systemd.run('systemctl', ['stop', ...namesWithSocket(addressed.address)]);
}

/**
 * Starts the unit of this containerd, and resolves when the monitor is ready. Throws UNAVAILABLE with the location of
 * its log.
 */
export async function startUnit({ address }: Addressed, systemd: Systemd = systemdHere): Promise<void> {
  systemd.require();
  await startNamed(unitNameOf(address), systemd);
}

async function startNamed(name: string, systemd: Systemd): Promise<void> {
  try {
    await systemd.run('systemctl', ['start', name]);
  } catch (cause) {
    throw new HealthctlError('UNAVAILABLE', `${name} did not start: ${messageOf(cause)}`, {
      cause,
      hint: `see why: journalctl -u ${name} -n 20`,
    });
  }
}

/** A package with a unit has brought the profile too. */
function forgetProfile(): void {
  const isPackaged = UNIT_DIRS.some((dir) => dir !== UNIT_DIR && unitsIn(dir).length > 0);
  if (!isPackaged) forgetProfileAtBoot(BOOT_PLACES);
}

function writeSystemFile(path: string, text: string): void {
  try {
    replaceFile(path, text, 0o644);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno !== 'EACCES' && errno !== 'EPERM' && errno !== 'EROFS') throw cause;
    throw new HealthctlError('DENIED', `cannot write ${path}: ${messageOf(cause)}`, {
      cause,
      hint: 'installing needs root and a writable file system',
    });
  }
}
