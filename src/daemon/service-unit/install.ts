import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { isAppArmorEnabled } from '../../system/apparmor.ts';
import { replaceFile } from '../../system/atomic-write.ts';
import { isSystemdRunning, type Systemd, systemd as systemdHere } from '../../system/systemd.ts';
import { forgetProfileAtBoot, loadProfileAtBoot, unitsIn } from './apparmor-at-boot.ts';
import { type UnitRequest, unitNameOf, unitTextOf } from './unit.ts';

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
 * @returns the name of the unit
 * @throws UNAVAILABLE without systemd, or if it does not start: it stays installed then, and systemd keeps trying.
 *   DENIED, INVALID
 */
export async function installUnit(request: InstallRequest, systemd: Systemd = systemdHere): Promise<string> {
  systemd.require();
  const name = unitNameOf(request.settings.address);
  const text = unitTextOf(request);
  if (isAppArmorEnabled()) loadProfileAtBoot(BOOT_PLACES, writeSystemFile);
  writeSystemFile(join(UNIT_DIR, name), text);
  await systemd.run('systemctl', ['daemon-reload']);
  await systemd.run('systemctl', ['enable', '--quiet', name]);
  await systemd.run('systemctl', ['stop', name]);
  await request.makeWay();
  await startNamed(name, systemd);
  return name;
}

/**
 * Stops the unit's monitor, and removes the unit.
 *
 * @returns the name of the unit
 * @throws UNAVAILABLE without systemd; NOT_FOUND if it is not installed, or belongs to a package
 */
export async function uninstallUnit({ address }: Addressed, systemd: Systemd = systemdHere): Promise<string> {
  systemd.require();
  const name = unitNameOf(address);
  const path = join(UNIT_DIR, name);
  if (!existsSync(path))
    throw new HealthctlError('NOT_FOUND', `there is no unit ${path}`, {
      hint: isUnitInstalled({ address })
        ? 'the unit came with a package: remove that'
        : `no monitor of containerd at ${address} is installed`,
    });
  await systemd.run('systemctl', ['disable', '--quiet', '--now', name]);
  rmSync(path, { force: true });
  forgetProfile();
  await systemd.run('systemctl', ['daemon-reload']);
  // Fails, without effect, for a unit that has not failed.
  await systemd.run('systemctl', ['reset-failed', name]).catch(() => undefined);
  return name;
}

/**
 * The installed units of monitors on this host, by us or by hand but not from a package: of this containerd, and of
 * others.
 */
export function findUnits({ address }: Addressed): {
  readonly own: string | undefined;
  readonly others: readonly string[];
} {
  const own = unitNameOf(address);
  const names = unitsIn(UNIT_DIR);
  return { own: names.includes(own) ? own : undefined, others: names.filter((name) => name !== own) };
}

/** Like uninstallUnit, for a unit of findUnits, also without systemd: then nothing runs, and its files are removed. */
export async function removeUnit(addressed: Addressed, systemd: Systemd = systemdHere): Promise<void> {
  if (isSystemdRunning()) {
    await uninstallUnit(addressed, systemd);
    return;
  }
  const name = unitNameOf(addressed.address);
  rmSync(join(UNIT_DIR, 'multi-user.target.wants', name), { force: true });
  rmSync(join(UNIT_DIR, name), { force: true });
  forgetProfile();
}

/**
 * Stops the unit of this containerd, if it is installed: otherwise it would restart a monitor that was asked to end.
 */
export async function stopUnit(addressed: Addressed, systemd: Systemd = systemdHere): Promise<void> {
  if (isUnitInstalled(addressed)) await systemd.run('systemctl', ['stop', unitNameOf(addressed.address)]);
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
